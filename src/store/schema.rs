//! The tables, one description for every database. What a column means stands in `migrations/`.

#![allow(missing_docs, reason = "the macro writes structs for columns, which the migrations describe")]

diesel::table! {
    tokens (id) {
        id -> BigInt,
        uid -> Text,
        value -> Text,
        label -> Nullable<Text>,
        valid_from -> Nullable<BigInt>,
        valid_to -> Nullable<BigInt>,
        usage_count -> Integer,
        lock_time -> Integer,
        last_used -> Nullable<BigInt>,
        lock_start -> Nullable<BigInt>,
        creator -> Text,
        created -> BigInt,
        modified -> BigInt,
        search -> Text,
        deleted_at -> Nullable<BigInt>,
        deleted_by -> Nullable<Text>,
        batch -> Nullable<BigInt>,
        used -> BigInt,
        voided_at -> Nullable<BigInt>,
        voided_by -> Nullable<Text>,
        void_reason -> Nullable<Text>,
    }
}

diesel::table! {
    batches (id) {
        id -> BigInt,
        uid -> Text,
        name -> Text,
        count -> Integer,
        creator -> Text,
        created -> BigInt,
        made -> Nullable<BigInt>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    actions (id) {
        id -> BigInt,
        uid -> Text,
        what -> Text,
        principal -> Text,
        timestamp -> BigInt,
        count -> Integer,
        refused -> Integer,
        undone -> Nullable<BigInt>,
        undone_by -> Nullable<Text>,
    }
}

diesel::table! {
    action_tokens (action, token) {
        action -> BigInt,
        token -> BigInt,
        stamp -> BigInt,
        modified -> BigInt,
        label -> Nullable<Text>,
        valid_from -> Nullable<BigInt>,
        valid_to -> Nullable<BigInt>,
        usage_count -> Integer,
        lock_time -> Integer,
        used -> BigInt,
        kept -> Nullable<Text>,
        voided_at -> Nullable<BigInt>,
        voided_by -> Nullable<Text>,
        void_reason -> Nullable<Text>,
    }
}

diesel::table! {
    usage (id) {
        id -> BigInt,
        uid -> Text,
        token -> Nullable<BigInt>,
        token_uid -> Nullable<Text>,
        token_value -> Nullable<Text>,
        timestamp -> BigInt,
        principal -> Text,
        error_code -> Nullable<SmallInt>,
    }
}

diesel::table! {
    replies (principal, key) {
        principal -> Text,
        key -> Text,
        created -> BigInt,
        token_uid -> Text,
        value -> Text,
        label -> Nullable<Text>,
        usage_count -> Integer,
        last_used -> Nullable<BigInt>,
        valid_from -> Nullable<BigInt>,
        valid_to -> Nullable<BigInt>,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        password_hash -> Text,
        role -> Text,
        created -> BigInt,
        modified -> BigInt,
        disabled_at -> Nullable<BigInt>,
        last_sign_in -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        hash -> Binary,
        user_id -> BigInt,
        created -> BigInt,
        last_seen -> BigInt,
        address -> Text,
        agent -> Text,
    }
}

diesel::table! {
    keys (id) {
        id -> BigInt,
        name -> Text,
        hash -> Binary,
        role -> Text,
        creator -> Text,
        created -> BigInt,
        expires -> Nullable<BigInt>,
        last_used -> Nullable<BigInt>,
    }
}

diesel::table! {
    settings (name) {
        name -> Text,
        value -> Text,
        changed -> BigInt,
        changed_by -> Text,
    }
}

diesel::table! {
    audit (id) {
        id -> BigInt,
        timestamp -> BigInt,
        principal -> Text,
        action -> Text,
        subject -> Text,
        detail -> Text,
    }
}

diesel::table! {
    attempts (id) {
        id -> BigInt,
        subject -> Text,
        timestamp -> BigInt,
    }
}

diesel::table! {
    advisory_locks (name) {
        name -> Text,
    }
}

diesel::table! {
    print_jobs (id) {
        id -> BigInt,
        uid -> Text,
        principal -> Text,
        timestamp -> BigInt,
        sheet -> Text,
        options -> Text,
        selection -> Text,
        total -> Integer,
        printed -> Integer,
        parts -> Integer,
        cursor -> Text,
        seen -> BigInt,
        ended -> Nullable<BigInt>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    print_runs (id) {
        id -> BigInt,
        uid -> Text,
        job -> Nullable<BigInt>,
        part -> Integer,
        principal -> Text,
        timestamp -> BigInt,
        sheet -> Text,
        options -> Text,
        start -> Integer,
        count -> Integer,
        pages -> Integer,
        size -> BigInt,
        digest -> Text,
        done -> Nullable<BigInt>,
    }
}

diesel::table! {
    print_run_tokens (run, position) {
        run -> BigInt,
        position -> Integer,
        token -> BigInt,
    }
}

diesel::table! {
    print_run_parts (id) {
        id -> BigInt,
        run -> BigInt,
        part -> Integer,
        bytes -> Binary,
    }
}

diesel::table! {
    sheets (slug) {
        slug -> Text,
        name -> Text,
        page_width -> Integer,
        page_height -> Integer,
        across -> Integer,
        down -> Integer,
        width -> Integer,
        height -> Integer,
        from_left -> Integer,
        from_top -> Integer,
        pitch_x -> Integer,
        pitch_y -> Integer,
        margin -> Integer,
        changed -> BigInt,
        changed_by -> Text,
    }
}

diesel::table! {
    printers (name) {
        name -> Text,
        offset_x -> Integer,
        offset_y -> Integer,
        dpi -> Integer,
        changed -> BigInt,
        changed_by -> Text,
    }
}

diesel::table! {
    next_labels (principal, sheet) {
        principal -> Text,
        sheet -> Text,
        label -> Integer,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(sessions, users);
diesel::allow_tables_to_appear_in_same_query!(
    tokens,
    batches,
    actions,
    action_tokens,
    usage,
    print_runs,
    print_run_tokens
);
