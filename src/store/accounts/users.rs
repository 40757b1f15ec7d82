//! Users: rows and queries.

use diesel::prelude::*;

use crate::access::{KeyOwner, Principal, Role};
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::connection::Connection;
use crate::store::error::{Error, is_duplicate};
use crate::store::ledger::replies;
use crate::store::schema::users;
use crate::store::{advisory_lock, audit};
use crate::token::Micros;

/// A user, without the password's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The unique name.
    pub(crate) name: String,
    /// What the user may do.
    pub role: Role,
    /// When the user was added.
    pub(crate) created: Micros,
    /// When the user last signed in.
    pub last_sign_in: Option<Micros>,
    /// Since when the user is disabled.
    pub disabled: Option<Micros>,
}

type UserRow = (String, String, i64, Option<i64>, Option<i64>);
const COLUMNS: (users::name, users::role, users::created, users::last_sign_in, users::disabled_at) =
    (users::name, users::role, users::created, users::last_sign_in, users::disabled_at);

fn user((name, role, created, last_sign_in, disabled): UserRow) -> Result<User, Error> {
    Ok(User {
        name,
        role: role.parse().map_err(Error::Failed)?,
        created: Micros::stored(created),
        last_sign_in: last_sign_in.map(Micros::stored),
        disabled: disabled.map(Micros::stored),
    })
}

/// A user to be added. The password is hashed outside of any transaction, as that takes tens of milliseconds.
pub struct NewUser<'a> {
    /// The unique name.
    pub name: &'a str,
    /// The PHC string of the password.
    pub password_hash: &'a str,
    /// What the user may do.
    pub role: Role,
}

/// Adds a user.
///
/// # Errors
/// Refused when the name is in use.
pub fn add(connection: &mut Connection, new: &NewUser<'_>, by: &Principal, now: Micros) -> Result<(), Error> {
    let row = (
        users::name.eq(new.name),
        users::password_hash.eq(new.password_hash),
        users::role.eq(new.role.word()),
        users::created.eq(now.get()),
        users::modified.eq(now.get()),
    );
    diesel::insert_into(users::table).values(row).execute(connection).map_err(|error| {
        let is_known = is_duplicate(&error, "users", "name");
        if is_known { Error::Refused(format!("There is already a user {}.", new.name)) } else { error.into() }
    })?;
    replies::forget(connection, &KeyOwner::from(&Principal::user(new.name)))?;
    audit::record(connection, by, "user add", new.name, new.role.word(), now)
}

/// What a sign-in needs to know about a user.
pub struct Credentials {
    /// The user's id.
    pub(crate) user_id: i64,
    /// The PHC string of the password.
    pub(crate) password_hash: String,
}

/// The credentials of the user with this name; none if there is no such user or it is disabled.
pub(crate) fn credentials(connection: &mut Connection, name: &str) -> QueryResult<Option<Credentials>> {
    let row = users::table.filter(users::name.eq(name)).filter(users::disabled_at.is_null());
    let row: Option<(i64, String)> = row.select((users::id, users::password_hash)).get_result(connection).optional()?;
    Ok(row.map(|(user_id, password_hash)| Credentials { user_id, password_hash }))
}

/// Like [`credentials`], but locks the row until the transaction ends.
pub fn lock_credentials(connection: &mut Connection, name: &str) -> QueryResult<Option<Credentials>> {
    if let Connection::Postgres(connection) = connection {
        let row = users::table.filter(users::name.eq(name)).select(users::id);
        row.for_no_key_update().execute(connection)?;
    }
    credentials(connection, name)
}

/// Records a sign-in.
pub(crate) fn signed_in(connection: &mut Connection, user_id: i64, now: Micros) -> QueryResult<()> {
    diesel::update(users::table.find(user_id)).set(users::last_sign_in.eq(now.get())).execute(connection)?;
    Ok(())
}

/// Whether there is any user.
pub(crate) fn any(connection: &mut Connection) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(connection)
}

/// Every user, by name.
pub fn list(connection: &mut Connection) -> Result<Vec<User>, Error> {
    let rows: Vec<UserRow> = users::table.order(users::name).select(COLUMNS).load(connection)?;
    rows.into_iter().map(user).collect()
}

/// Every user's name, in order.
pub(crate) fn names(connection: &mut Connection) -> Result<Vec<String>, Error> {
    Ok(users::table.order(users::name).select(users::name).load(connection)?)
}

/// The user with this name, disabled or not.
pub fn find(connection: &mut Connection, name: &str) -> Result<Option<User>, Error> {
    let row = users::table.filter(users::name.eq(name)).select(COLUMNS).get_result::<UserRow>(connection);
    row.optional()?.map(user).transpose()
}

/// Sets a password and ends the user's sessions.
///
/// # Errors
/// Refused when there is no such user.
pub(crate) fn set_password(
    connection: &mut Connection,
    name: &str,
    hash: &str,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    change_password(connection, name, hash, by, now)?;
    Ok(end_sessions(connection, name)?)
}

/// Changes a password. The caller decides which sessions end.
///
/// # Errors
/// Refused when there is no such user.
pub(crate) fn change_password(
    connection: &mut Connection,
    name: &str,
    hash: &str,
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    let row = diesel::update(users::table.filter(users::name.eq(name)));
    let set = row.set((users::password_hash.eq(hash), users::modified.eq(now.get()))).execute(connection)?;
    if set == 0 {
        return Err(no_such_user(name));
    }
    audit::record(connection, by, "user passwd", name, "", now)
}

/// Changes a user's role and ends the user's sessions.
///
/// # Errors
/// Refused when there is no such user, or when no manager would be left.
pub fn set_role(connection: &mut Connection, name: &str, role: Role, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    let row = diesel::update(users::table.filter(users::name.eq(name)));
    let set = row.set((users::role.eq(role.word()), users::modified.eq(now.get()))).execute(connection)?;
    if set == 0 {
        return Err(no_such_user(name));
    }
    require_a_manager(connection)?;
    end_sessions(connection, name)?;
    audit::record(connection, by, "user role", name, role.word(), now)
}

/// As [`set_role`], unless somebody else has given the user another role than `known`, as far as that is known.
///
/// # Errors
/// As [`set_role`]; refused, too, when somebody else has changed the role.
pub(crate) fn set_role_from(
    connection: &mut Connection,
    name: &str,
    (known, wanted): (Option<Role>, Role),
    by: &Principal,
    now: Micros,
) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    let current = find(connection, name)?.ok_or_else(|| no_such_user(name))?.role;
    if known.is_some_and(|known| current != known) && current != wanted {
        let why = format!("Someone else changed the role to {current}. You chose {wanted}. Choose again.");
        return Err(Error::Refused(why));
    }
    set_role(connection, name, wanted, by, now)
}

/// Removes a user, and with the row the user's sessions.
///
/// # Errors
/// Refused when there is no such user, or when no manager would be left.
pub fn remove(connection: &mut Connection, name: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    if diesel::delete(users::table.filter(users::name.eq(name))).execute(connection)? == 0 {
        return Err(no_such_user(name));
    }
    require_a_manager(connection)?;
    audit::record(connection, by, "user remove", name, "", now)
}

/// Disables a user and ends the user's sessions. A user who is already disabled keeps the time of the first disabling.
///
/// # Errors
/// Refused when there is no such user, or when no manager would be left.
pub(crate) fn disable(connection: &mut Connection, name: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    let row = diesel::update(users::table.filter(users::name.eq(name)).filter(users::disabled_at.is_null()));
    let set = row.set((users::disabled_at.eq(now.get()), users::modified.eq(now.get()))).execute(connection)?;
    if set == 0 {
        return find(connection, name)?.map(drop).ok_or_else(|| no_such_user(name));
    }
    require_a_manager(connection)?;
    end_sessions(connection, name)?;
    audit::record(connection, by, "user disable", name, "", now)
}

/// Lets a disabled user sign in again.
///
/// # Errors
/// Refused when there is no such user.
pub(crate) fn enable(connection: &mut Connection, name: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    let row = diesel::update(users::table.filter(users::name.eq(name)).filter(users::disabled_at.is_not_null()));
    let set = row.set((users::disabled_at.eq(None::<i64>), users::modified.eq(now.get()))).execute(connection)?;
    if set == 0 {
        return find(connection, name)?.map(drop).ok_or_else(|| no_such_user(name));
    }
    audit::record(connection, by, "user enable", name, "", now)
}

fn no_such_user(name: &str) -> Error {
    Error::Refused(format!("There is no user {name}."))
}

/// Without a manager, nobody could give anybody access again. Called after the change, so that the error rolls it back.
fn require_a_manager(connection: &mut Connection) -> Result<(), Error> {
    let managers = users::table.filter(users::role.eq(Role::Manager.word())).filter(users::disabled_at.is_null());
    if diesel::select(diesel::dsl::exists(managers)).get_result(connection)? {
        return Ok(());
    }
    Err(Error::Refused("This is the last manager. Make another user a manager first.".into()))
}

fn end_sessions(connection: &mut Connection, name: &str) -> QueryResult<()> {
    use crate::store::schema::sessions;
    let user: i64 = users::table.filter(users::name.eq(name)).select(users::id).get_result(connection)?;
    diesel::delete(sessions::table).filter(sessions::user_id.eq(user)).execute(connection)?;
    Ok(())
}
