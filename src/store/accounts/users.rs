//! Users: rows and queries.

use diesel::prelude::*;

use crate::access::{Principal, Role};
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::connection::Connection;
use crate::store::error::{Error, taken};
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
    /// Since when the user may not sign in.
    pub disabled: Option<Micros>,
}

type Row = (String, String, i64, Option<i64>, Option<i64>);
const COLUMNS: (users::name, users::role, users::created, users::last_sign_in, users::disabled_at) =
    (users::name, users::role, users::created, users::last_sign_in, users::disabled_at);

fn user((name, role, created, last_sign_in, disabled): Row) -> Result<User, Error> {
    Ok(User {
        name,
        role: role.parse().map_err(Error::Failed)?,
        created: Micros::stored(created),
        last_sign_in: last_sign_in.map(Micros::stored),
        disabled: disabled.map(Micros::stored),
    })
}

/// A user that is to be added. The password is hashed outside of any transaction: that takes tens of milliseconds.
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
/// Refused when there is one of that name.
pub fn add(connection: &mut Connection, new: &NewUser<'_>, by: &Principal, now: Micros) -> Result<(), Error> {
    let row = (
        users::name.eq(new.name),
        users::password_hash.eq(new.password_hash),
        users::role.eq(new.role.word()),
        users::created.eq(now.get()),
        users::modified.eq(now.get()),
    );
    diesel::insert_into(users::table).values(row).execute(connection).map_err(|error| {
        let is_known = taken(&error, "users", "name");
        if is_known { Error::Refused(format!("There is a user {} already.", new.name)) } else { error.into() }
    })?;
    audit::record(connection, by, "user add", new.name, new.role.word(), now)
}

/// What a sign-in needs to know of a user.
pub struct Credentials {
    /// The user's number.
    pub(crate) user_id: i64,
    /// The PHC string of the password.
    pub(crate) password_hash: String,
}

/// The credentials of the user of that name, unless there is none or the user is disabled.
///
/// # Errors
/// The database's.
pub(crate) fn credentials(connection: &mut Connection, name: &str) -> QueryResult<Option<Credentials>> {
    let row = users::table.filter(users::name.eq(name)).filter(users::disabled_at.is_null());
    let row: Option<(i64, String)> = row.select((users::id, users::password_hash)).get_result(connection).optional()?;
    Ok(row.map(|(user_id, password_hash)| Credentials { user_id, password_hash }))
}

/// As [`credentials`], and they stay as they are until the transaction ends.
///
/// # Errors
/// The database's.
pub fn locked(connection: &mut Connection, name: &str) -> QueryResult<Option<Credentials>> {
    if let Connection::Postgres(connection) = connection {
        let row = users::table.filter(users::name.eq(name)).select(users::id);
        row.for_no_key_update().execute(connection)?;
    }
    credentials(connection, name)
}

/// Remembers when a user signed in.
///
/// # Errors
/// The database's.
pub(crate) fn signed_in(connection: &mut Connection, user_id: i64, now: Micros) -> QueryResult<()> {
    diesel::update(users::table.find(user_id)).set(users::last_sign_in.eq(now.get())).execute(connection)?;
    Ok(())
}

/// Whether there is any user.
///
/// # Errors
/// The database's.
pub(crate) fn any(connection: &mut Connection) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(connection)
}

/// Every user, by name.
///
/// # Errors
/// The database's.
pub fn list(connection: &mut Connection) -> Result<Vec<User>, Error> {
    let rows: Vec<Row> = users::table.order(users::name).select(COLUMNS).load(connection)?;
    rows.into_iter().map(user).collect()
}

/// The user of that name, disabled or not.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, name: &str) -> Result<Option<User>, Error> {
    let row = users::table.filter(users::name.eq(name)).select(COLUMNS).get_result::<Row>(connection);
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

/// Changes a password; which sessions end with it is the caller's.
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
        return Err(unknown(name));
    }
    audit::record(connection, by, "user passwd", name, "", now)
}

/// Gives a user another role and ends the user's sessions.
///
/// # Errors
/// Refused when there is no such user, or when no manager would be left.
pub fn set_role(connection: &mut Connection, name: &str, role: Role, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    let row = diesel::update(users::table.filter(users::name.eq(name)));
    let set = row.set((users::role.eq(role.word()), users::modified.eq(now.get()))).execute(connection)?;
    if set == 0 {
        return Err(unknown(name));
    }
    hold_a_manager(connection)?;
    end_sessions(connection, name)?;
    audit::record(connection, by, "user role", name, role.word(), now)
}

/// Removes a user; the sessions go with the row.
///
/// # Errors
/// Refused when there is no such user, or when no manager would be left.
pub fn remove(connection: &mut Connection, name: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    if diesel::delete(users::table.filter(users::name.eq(name))).execute(connection)? == 0 {
        return Err(unknown(name));
    }
    hold_a_manager(connection)?;
    audit::record(connection, by, "user remove", name, "", now)
}

/// Keeps a user from signing in, and ends the user's sessions. One that is disabled stays so since when it was.
///
/// # Errors
/// Refused when there is no such user, or when no manager would be left.
pub(crate) fn disable(connection: &mut Connection, name: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    let row = diesel::update(users::table.filter(users::name.eq(name)).filter(users::disabled_at.is_null()));
    let set = row.set((users::disabled_at.eq(now.get()), users::modified.eq(now.get()))).execute(connection)?;
    if set == 0 {
        return find(connection, name)?.map(drop).ok_or_else(|| unknown(name));
    }
    hold_a_manager(connection)?;
    end_sessions(connection, name)?;
    audit::record(connection, by, "user disable", name, "", now)
}

/// Lets a user sign in again.
///
/// # Errors
/// Refused when there is no such user.
pub(crate) fn enable(connection: &mut Connection, name: &str, by: &Principal, now: Micros) -> Result<(), Error> {
    advisory_lock::acquire(connection, AdvisoryLock::Users)?;
    let row = diesel::update(users::table.filter(users::name.eq(name)).filter(users::disabled_at.is_not_null()));
    let set = row.set((users::disabled_at.eq(None::<i64>), users::modified.eq(now.get()))).execute(connection)?;
    if set == 0 {
        return find(connection, name)?.map(drop).ok_or_else(|| unknown(name));
    }
    audit::record(connection, by, "user enable", name, "", now)
}

fn unknown(name: &str) -> Error {
    Error::Refused(format!("There is no user {name}."))
}

/// Without a manager nobody could let anybody in again. Called after the change, whose transaction then ends.
fn hold_a_manager(connection: &mut Connection) -> Result<(), Error> {
    let managers = users::table.filter(users::role.eq(Role::Manager.word())).filter(users::disabled_at.is_null());
    if diesel::select(diesel::dsl::exists(managers)).get_result(connection)? {
        return Ok(());
    }
    Err(Error::Refused("This is the last manager; make another user a manager first.".into()))
}

fn end_sessions(connection: &mut Connection, name: &str) -> QueryResult<()> {
    use crate::store::schema::sessions;
    let user: i64 = users::table.filter(users::name.eq(name)).select(users::id).get_result(connection)?;
    diesel::delete(sessions::table).filter(sessions::user_id.eq(user)).execute(connection)?;
    Ok(())
}
