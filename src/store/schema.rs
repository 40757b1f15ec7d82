// @generated automatically by Diesel CLI.

diesel::table! {
    action_tokens (action, token) {
        action -> Int8,
        token -> Int8,
        number -> Int4,
        stamp -> Nullable<Int8>,
        modified -> Int8,
        label -> Nullable<Text>,
        valid_from -> Nullable<Int8>,
        valid_to -> Nullable<Int8>,
        usage_count -> Int4,
        lock_time -> Int4,
        used -> Int8,
        kept -> Nullable<Text>,
        voided_at -> Nullable<Int8>,
        voided_by -> Nullable<Text>,
        void_reason -> Nullable<Text>,
        target -> Nullable<Text>,
    }
}

diesel::table! {
    actions (id) {
        id -> Int8,
        uid -> Text,
        what -> Text,
        principal -> Text,
        timestamp -> Int8,
        count -> Int4,
        refused -> Int4,
        undone -> Nullable<Int8>,
        undone_by -> Nullable<Text>,
        pending -> Nullable<Text>,
        cursor -> Int8,
        handled -> Int4,
        touched -> Int8,
    }
}

diesel::table! {
    advisory_locks (name) {
        name -> Text,
    }
}

diesel::table! {
    attempts (id) {
        id -> Int8,
        subject -> Text,
        timestamp -> Int8,
    }
}

diesel::table! {
    audit (id) {
        id -> Int8,
        timestamp -> Int8,
        principal -> Text,
        action -> Text,
        subject -> Text,
        detail -> Text,
    }
}

diesel::table! {
    batches (id) {
        id -> Int8,
        uid -> Text,
        name -> Text,
        count -> Int4,
        creator -> Text,
        created -> Int8,
        touched -> Int8,
        made -> Nullable<Int8>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    gates (id) {
        id -> Int8,
        uid -> Text,
        name -> Text,
        rules -> Text,
        disabled_at -> Nullable<Int8>,
        created -> Int8,
        changed -> Int8,
        changed_by -> Text,
    }
}

diesel::table! {
    import_parts (id) {
        id -> Int8,
        import -> Int8,
        part -> Int4,
        bytes -> Bytea,
    }
}

diesel::table! {
    imports (id) {
        id -> Int8,
        uid -> Text,
        principal -> Text,
        created -> Int8,
        touched -> Int8,
        name -> Text,
        size -> Int8,
        options -> Text,
        stage -> Text,
        handled -> Int8,
        report -> Nullable<Text>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    index_progress (id) {
        id -> Int8,
        entry -> Int8,
        next_entry -> Nullable<Int8>,
        next_transaction -> Nullable<Int8>,
    }
}

diesel::table! {
    index_queue (id) {
        id -> Int8,
        token -> Int8,
        text -> Int2,
    }
}

diesel::table! {
    keys (id) {
        id -> Int8,
        uid -> Text,
        name -> Text,
        hash -> Bytea,
        role -> Text,
        creator -> Text,
        created -> Int8,
        expires -> Nullable<Int8>,
        last_used -> Nullable<Int8>,
        gate -> Nullable<Int8>,
        prefix -> Text,
        rate -> Nullable<Int4>,
        last_address -> Nullable<Text>,
    }
}

diesel::table! {
    next_labels (principal, sheet) {
        principal -> Text,
        sheet -> Text,
        label -> Int4,
    }
}

diesel::table! {
    print_jobs (id) {
        id -> Int8,
        uid -> Text,
        principal -> Text,
        timestamp -> Int8,
        sheet -> Text,
        options -> Text,
        selection -> Text,
        total -> Int4,
        printed -> Int4,
        parts -> Int4,
        cursor -> Text,
        seen -> Int8,
        ended -> Nullable<Int8>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    print_run_parts (id) {
        id -> Int8,
        run -> Int8,
        part -> Int4,
        bytes -> Bytea,
    }
}

diesel::table! {
    print_run_tokens (run, position) {
        run -> Int8,
        position -> Int4,
        token -> Int8,
    }
}

diesel::table! {
    print_runs (id) {
        id -> Int8,
        uid -> Text,
        job -> Nullable<Int8>,
        part -> Int4,
        principal -> Text,
        timestamp -> Int8,
        sheet -> Text,
        options -> Text,
        start -> Int4,
        count -> Int4,
        pages -> Int4,
        size -> Int8,
        digest -> Text,
        done -> Nullable<Int8>,
    }
}

diesel::table! {
    printers (name) {
        name -> Text,
        offset_x -> Int4,
        offset_y -> Int4,
        dpi -> Int4,
        changed -> Int8,
        changed_by -> Text,
    }
}

diesel::table! {
    replies (owner, key) {
        owner -> Text,
        key -> Text,
        created -> Int8,
        token_uid -> Nullable<Text>,
        value -> Nullable<Text>,
        label -> Nullable<Text>,
        usage_count -> Nullable<Int4>,
        last_used -> Nullable<Int8>,
        valid_from -> Nullable<Int8>,
        valid_to -> Nullable<Int8>,
        usage_uid -> Nullable<Text>,
        gate -> Nullable<Int8>,
        uses -> Nullable<Int4>,
        request -> Nullable<Text>,
        answer -> Nullable<Text>,
        work -> Nullable<Text>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Int8,
        hash -> Bytea,
        user_id -> Int8,
        created -> Int8,
        last_seen -> Int8,
        address -> Text,
        agent -> Text,
    }
}

diesel::table! {
    settings (name) {
        name -> Text,
        value -> Text,
        changed -> Int8,
        changed_by -> Text,
    }
}

diesel::table! {
    sheets (slug) {
        slug -> Text,
        name -> Text,
        page_width -> Int4,
        page_height -> Int4,
        across -> Int4,
        down -> Int4,
        width -> Int4,
        height -> Int4,
        from_left -> Int4,
        from_top -> Int4,
        pitch_x -> Int4,
        pitch_y -> Int4,
        margin -> Int4,
        changed -> Int8,
        changed_by -> Text,
    }
}

diesel::table! {
    token_zones (zone) {
        zone -> Int8,
        present -> Int4,
        by_uid -> Int4,
        voided -> Int4,
        used_up -> Int4,
        created_min -> Int8,
        created_max -> Int8,
        label_min -> Text,
        label_max -> Text,
        value_min -> Nullable<Text>,
        value_max -> Nullable<Text>,
        valid_to_min -> Int8,
        valid_to_max -> Int8,
        usable -> Int4,
        begin_min -> Int8,
        begin_max -> Int8,
        end_min -> Int8,
        end_max -> Int8,
        locked_until -> Int8,
    }
}

diesel::table! {
    tokens (id) {
        id -> Int8,
        uid -> Text,
        value -> Nullable<Text>,
        label -> Nullable<Text>,
        valid_from -> Nullable<Int8>,
        valid_to -> Nullable<Int8>,
        usage_count -> Int4,
        lock_time -> Int4,
        last_used -> Nullable<Int8>,
        lock_start -> Nullable<Int8>,
        creator -> Text,
        created -> Int8,
        modified -> Int8,
        deleted_at -> Nullable<Int8>,
        deleted_by -> Nullable<Text>,
        batch -> Nullable<Int8>,
        used -> Int8,
        last_entry -> Nullable<Int8>,
        voided_at -> Nullable<Int8>,
        voided_by -> Nullable<Text>,
        void_reason -> Nullable<Text>,
    }
}

diesel::table! {
    usage (id) {
        id -> Int8,
        uid -> Text,
        token -> Nullable<Int8>,
        token_uid -> Nullable<Text>,
        token_value -> Nullable<Text>,
        timestamp -> Int8,
        principal -> Text,
        error_code -> Nullable<Int2>,
        gate -> Nullable<Int8>,
        uses -> Int4,
        taken -> Int4,
        lock_before -> Nullable<Int8>,
        undoes -> Nullable<Text>,
        previous -> Nullable<Int8>,
    }
}

diesel::table! {
    users (id) {
        id -> Int8,
        name -> Text,
        password_hash -> Text,
        role -> Text,
        created -> Int8,
        modified -> Int8,
        disabled_at -> Nullable<Int8>,
        last_sign_in -> Nullable<Int8>,
    }
}

diesel::joinable!(sessions -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    action_tokens,
    actions,
    advisory_locks,
    attempts,
    audit,
    batches,
    gates,
    import_parts,
    imports,
    index_progress,
    index_queue,
    keys,
    next_labels,
    print_jobs,
    print_run_parts,
    print_run_tokens,
    print_runs,
    printers,
    replies,
    sessions,
    settings,
    sheets,
    token_zones,
    tokens,
    usage,
    users,
);
