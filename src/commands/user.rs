//! `tessera user …`

use std::io::BufRead;

use super::shell::{Failure, connect, operator, print, table, write};
use crate::access::{check_name, password};
use crate::cli::parse::without_line_end;
use crate::cli::{Common, PasswordFrom, UserCommand};
use crate::store::accounts::users;
use crate::store::accounts::users::NewUser;

/// Adds, lists, changes or removes users.
pub(crate) fn run(common: &Common, command: UserCommand) -> Result<(), Failure> {
    let by = operator();
    match trimmed(command) {
        UserCommand::Add { name, role, password } => {
            check_name(&name)?;
            let mut connection = connect(common)?;
            let password_hash = hash(&name, password)?;
            let new = NewUser { name: &name, password_hash: &password_hash, role };
            write(&mut connection, |connection, now| users::add(connection, &new, &by, now))
        }
        UserCommand::List => list(common),
        UserCommand::Passwd { name, password } => {
            let mut connection = connect(common)?;
            let hash = hash(&name, password)?;
            write(&mut connection, |connection, now| users::set_password(connection, &name, &hash, &by, now))
        }
        UserCommand::Role { name, role } => {
            write(&mut connect(common)?, |connection, now| users::set_role(connection, &name, role, &by, now))
        }
        UserCommand::Remove { name } => {
            write(&mut connect(common)?, |connection, now| users::remove(connection, &name, &by, now))
        }
    }
}

/// The command with its name cut of spaces, which no name has: whoever copied it may have copied one along.
fn trimmed(mut command: UserCommand) -> UserCommand {
    if let UserCommand::Add { name, .. }
    | UserCommand::Passwd { name, .. }
    | UserCommand::Role { name, .. }
    | UserCommand::Remove { name } = &mut command
    {
        *name = name.trim().to_owned();
    }
    command
}

fn hash(name: &str, from: PasswordFrom) -> Result<String, Failure> {
    let password = if from.password_stdin { first_line()? } else { ask()? };
    password::check(&password, name)?;
    Ok(password::hash(&password)?)
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure(format!("The password cannot be read from standard input: {error}.")))?;
    Ok(without_line_end(&line).to_owned())
}

/// Asks twice: the input is invisible, and a typing error would lock the user out.
fn ask() -> Result<String, Failure> {
    let unreadable = |error| Failure(format!("There is no terminal to ask on ({error}); use --password-stdin."));
    let password = rpassword::prompt_password("Password: ").map_err(unreadable)?;
    if rpassword::prompt_password("Again: ").map_err(unreadable)? == password {
        return Ok(password);
    }
    Err(Failure("The two passwords are not the same; nothing was changed.".into()))
}

fn list(common: &Common) -> Result<(), Failure> {
    let mut rows = vec![["NAME", "ROLE", "CREATED"].map(str::to_owned).to_vec()];
    let users = users::list(&mut connect(common)?)?;
    rows.extend(users.into_iter().map(|user| {
        let disabled = if user.disabled.is_some() { " (disabled)" } else { "" };
        vec![user.name, format!("{}{disabled}", user.role), user.created.to_string()]
    }));
    print(&table(&rows))
}
