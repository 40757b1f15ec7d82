//! `tessera serve`

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::shell::{Failure, print, say, write};
use crate::access::{Principal, Role, password};
use crate::cli::parse::without_line_end;
use crate::cli::{Common, Serve};
use crate::sheet::fonts::Fonts;
use crate::store::accounts::users;
use crate::store::accounts::users::NewUser;
use crate::store::advisory_lock::AdvisoryLock;
use crate::store::{Connection, DatabaseUrl, Store, advisory_lock, migrations, settings};
use crate::token::public_url::PublicUrl;
use crate::token::settings::CodeHolds;
use crate::web::session_cookie;
use crate::web::state::App;
use crate::work::password_hashing;
use crate::work::shutdown::Shutdown;
use crate::{app, web};

/// The name of the first user.
const ADMIN: &str = "admin";
/// How long the server still reads requests from open sockets before it stops reading.
const SOCKET_DRAIN: Duration = Duration::from_millis(300);

/// Migrates the database if needed, then serves until a signal arrives.
pub(crate) fn run(common: &Common, options: Serve) -> Result<(), Failure> {
    let url = &common.database_url;
    let chosen = chosen_password()?;
    let fonts = Arc::new(fonts(&options.fonts)?);
    // The socket comes first: a password that is shown once must not be lost because the port is in use.
    let listener = listen(options.bind)?;
    let address = listener.local_addr().map_err(|error| Failure(format!("The socket has no address: {error}.")))?;
    let public_url = options.public_url.map_or_else(|| PublicUrl::assumed(&format!("http://{address}")), Ok)?;
    url.use_shared()?;
    url.create()?;
    url.check_writable()?;
    let mut connection = url.connect()?;
    migrations::migrate(url, &mut connection)?;
    if let Some(warning) = url.setting_warning(&mut connection)? {
        tracing::warn!("{warning}");
    }
    if let Some(admin) = first_admin(&mut connection, chosen.as_deref())? {
        welcome(&admin, url, address, &public_url);
    }
    let cookie_key = write(&mut connection, |connection, now| {
        Ok(settings::cookie_key(connection, &session_cookie::generate(), now)?)
    })?;
    let cookie_key = session_cookie::key(&cookie_key)?;
    let codes = settings::all(&mut connection).map_err(crate::store::Error::from)?.settings.code_holds;
    if codes == CodeHolds::Link && !public_url.is_given {
        tracing::warn!("{}", web::words::settings::NO_LINKS);
    }
    drop(connection);
    let state = App::new(
        Store::start_with(url, options.batch)?,
        cookie_key,
        common.zone(),
        public_url,
        options.trusted_proxies,
        fonts,
    );
    password_hashing::prepare();
    actix_web::rt::System::new().block_on(serve(listener, state))
}

/// The first admin's password, if the environment has one.
fn chosen_password() -> Result<Option<String>, Failure> {
    let Some(chosen) = std::env::var_os("TESSERA_ADMIN_PASSWORD") else { return Ok(None) };
    let unusable = |why: String| format!("TESSERA_ADMIN_PASSWORD cannot be used: {why}");
    let chosen = chosen.into_string().map_err(|_| unusable("it is not UTF-8.".into()))?;
    let chosen = without_line_end(&chosen);
    if chosen.is_empty() {
        return Ok(None);
    }
    password::check(chosen, ADMIN).map_err(unusable)?;
    Ok(Some(chosen.to_owned()))
}

/// Loads the fonts for sheets. Once at the start, since every print needs them and a wrong file should be noticed now.
fn fonts(files: &[PathBuf]) -> Result<Fonts, Failure> {
    // Between two colons there is no file.
    let files = files.iter().filter(|file| !file.as_os_str().is_empty());
    let read = |file: &PathBuf| {
        let data = std::fs::read(file);
        let data = data.map_err(|error| format!("The font {} cannot be read: {error}.", file.display()))?;
        Ok((file.display().to_string(), data))
    };
    let extra_fonts = files.map(read).collect::<Result<_, String>>()?;
    Ok(Fonts::new(extra_fonts).map_err(|error| format!("{error}."))?)
}

fn listen(bind: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(bind).map_err(|error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AddrInUse => "; another program listens there, so choose another address with --bind",
            std::io::ErrorKind::PermissionDenied => {
                "; ports below 1024 are not for everybody, so choose another with --bind"
            }
            _ => "",
        };
        Failure(format!("The address {bind} cannot be listened on: {error}{advice}."))
    })?;
    Ok(listener)
}

async fn serve(listener: TcpListener, state: App) -> Result<(), Failure> {
    let base_path = state.public_url.base_path().to_owned();
    let running = app::serve(listener, state).map_err(|error| Failure(format!("The server cannot start: {error}.")))?;
    let handle = running.server.handle();
    let mut signal_received = signals()?;
    let mut server = actix_web::rt::spawn(running.server);
    print(&format!("Tessera is listening on http://{}{base_path}/\n", running.address))?;
    tokio::select! {
        _ = signal_received.recv() => {}
        _ = &mut server => return Err(Failure("The server ended by itself; the log may say why.".into())),
    }
    tracing::info!("ending: no new connections, and what is under way is finished");
    running.shutdown.begin();
    handle.pause().await;
    tokio::time::sleep(SOCKET_DRAIN).await;
    end(&running.shutdown).await;
    Ok(())
}

/// Waits until no requests are in progress. Like the server itself, it does not wait for a connection that is merely
/// open, or whose request never becomes complete.
///
/// The server is not stopped first: its threads would end with their last connection, and with them a batch that one of
/// them is creating.
async fn end(shutdown: &Shutdown) {
    let timeout = tokio::time::sleep(Duration::from_secs(app::ENDING_SECONDS));
    tokio::select! {
        () = shutdown.finished() => {}
        () = timeout => tracing::warn!("some requests were not finished in time"),
    }
}

/// Receives a message at SIGTERM and SIGINT. Set up before the address is printed, so that no signal is lost.
fn signals() -> Result<tokio::sync::mpsc::Receiver<()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind).map_err(|error| Failure(format!("Signals cannot be received: {error}.")))?;
        let sender = sender.clone();
        actix_web::rt::spawn(async move {
            if signal.recv().await.is_some() {
                let _ = sender.try_send(());
            }
        });
    }
    Ok(receiver)
}

/// The new admin's password; `None` if the operator has chosen it.
struct FirstAdmin(Option<String>);

/// Creates the user `admin` if there are no users. The transaction checks again, so that of two processes that start
/// together only one creates it.
fn first_admin(connection: &mut Connection, chosen: Option<&str>) -> Result<Option<FirstAdmin>, Failure> {
    if users::any(connection).map_err(crate::store::Error::from)? {
        return Ok(None);
    }
    let password = chosen.map_or_else(|| password::generate(ADMIN), str::to_owned);
    let password_hash = password::hash(&password)?;
    let new = NewUser { name: ADMIN, password_hash: &password_hash, role: Role::Manager };
    let created = write(connection, |connection, now| {
        advisory_lock::acquire(connection, AdvisoryLock::Users)?;
        if users::any(connection)? {
            return Ok(false);
        }
        users::add(connection, &new, &Principal::shell("serve"), now).map(|()| true)
    })?;
    Ok(created.then(|| FirstAdmin(chosen.is_none().then_some(password))))
}

/// Explains the next steps on standard error. Plain text instead of log lines, because a person reads it once.
fn welcome(admin: &FirstAdmin, url: &DatabaseUrl, address: SocketAddr, public_url: &PublicUrl) {
    let program = std::env::args().next().unwrap_or_else(|| "tessera".into());
    // A server's URL may contain a password, so it is not shown.
    let (database_url, hint) = match url {
        DatabaseUrl::Sqlite(file) => (format!("--database-url sqlite:{} ", file.path().display()), ""),
        DatabaseUrl::Postgres(_) => (String::new(), ", with this server's TESSERA_DATABASE_URL or --database-url"),
    };
    let base = format!("http://{address}{}", public_url.base_path());
    let password = match &admin.0 {
        Some(password) => format!("{password}   (shown only this once)"),
        None => "the one in TESSERA_ADMIN_PASSWORD".into(),
    };
    say(&format!(
        "
Welcome to Tessera. The {url} is new; its first user is

    name      admin
    password  {password}

Sign in at {base}/ with a browser. Or go on here: make an API key, and a token that can
be used three times{hint}:

    KEY=$({program} {database_url}key add first --role manager)
    curl -H \"Authorization: Bearer $KEY\" {base}/add_token \\
        -d usage_count=3 -d lock_time= -d valid_from= -d valid_to=

Use it once, with the token_uid that this answers:

    curl -H \"Authorization: Bearer $KEY\" -d '' {base}/TOKEN_UID/consume_token

"
    ));
}
