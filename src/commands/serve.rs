//! `tessera serve`

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::shell::{Failure, print, say, write};
use crate::access::{Principal, Role, password};
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
/// How long requests that lie in a socket already get to be read, before the server stops reading.
const SETTLING: Duration = Duration::from_millis(300);

/// Migrates if needed, then serves until a signal ends it.
pub(crate) fn run(common: &Common, options: Serve) -> Result<(), Failure> {
    let url = &common.database_url;
    let given = std::env::var("TESSERA_ADMIN_PASSWORD").ok().filter(|given| !given.is_empty());
    if let Some(given) = &given {
        password::check(given, ADMIN).map_err(|why| format!("TESSERA_ADMIN_PASSWORD cannot be used: {why}"))?;
    }
    let fonts = Arc::new(fonts(&options.fonts)?);
    // The socket comes first: a password that is shown once must not be lost to a port in use.
    let listener = listen(options.bind)?;
    let address = listener.local_addr().map_err(|error| Failure(format!("The socket has no address: {error}.")))?;
    let public_url = options.public_url.map_or_else(|| PublicUrl::assumed(&format!("http://{address}")), Ok)?;
    url.create()?;
    let mut connection = url.connect()?;
    migrations::migrate(url, &mut connection)?;
    if let Some(warning) = url.setting_warning(&mut connection)? {
        tracing::warn!("{warning}");
    }
    if let Some(admin) = first_admin(&mut connection, given.as_deref())? {
        welcome(&admin, url, address, &public_url);
    }
    let cookie_key = write(&mut connection, |connection, now| {
        Ok(settings::cookie_key(connection, &session_cookie::generate(), now)?)
    })?;
    let cookie_key = session_cookie::key(&cookie_key)?;
    let codes = settings::all(&mut connection).map_err(crate::store::Error::from)?.settings.code_holds;
    if codes == CodeHolds::Link && !public_url.is_given {
        tracing::warn!("{}", web::settings::cache::NO_LINKS);
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

/// The fonts for sheets: read once, as every print needs them, and a wrong file should be noticed now.
fn fonts(files: &[PathBuf]) -> Result<Fonts, Failure> {
    // A variable that is set to nothing is one empty path.
    let files = files.iter().filter(|file| !file.as_os_str().is_empty());
    let read = |file: &PathBuf| {
        let data = std::fs::read(file);
        let data = data.map_err(|error| format!("The font {} cannot be read: {error}.", file.display()))?;
        Ok((file.display().to_string(), data))
    };
    let further = files.map(read).collect::<Result<_, String>>()?;
    Ok(Fonts::new(further).map_err(|error| format!("{error}."))?)
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
    let mut ended = signals()?;
    let mut server = actix_web::rt::spawn(running.server);
    print(&format!("Tessera is listening on http://{}{base_path}/\n", running.address))?;
    tokio::select! {
        _ = ended.recv() => {}
        _ = &mut server => return Err(Failure("The server ended by itself; the log may say why.".into())),
    }
    tracing::info!("ending: no new connections, and what is under way is finished");
    running.shutdown.begin();
    handle.pause().await;
    tokio::time::sleep(SETTLING).await;
    end(&running.shutdown).await;
    Ok(())
}

/// Waits until nothing is under way. A connection that is only open, or sends a request that never becomes whole, is
/// not waited for, as the server itself would do.
///
/// The server is not told to stop before: its threads would end with their last connection, and with them the batch that one
/// of them makes.
async fn end(shutdown: &Shutdown) {
    let patience = tokio::time::sleep(Duration::from_secs(app::ENDING_SECONDS));
    tokio::select! {
        () = shutdown.finished() => {}
        () = patience => tracing::warn!("some requests were not finished in time"),
    }
}

/// Gets a message at SIGTERM and SIGINT. They are listened for before the address is printed, so that none is lost.
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

/// The password of an admin that was just made; `None` inside when the operator knows it.
struct FirstAdmin(Option<String>);

/// Makes the user `admin` when there is no user yet. Whether there is none is asked within the transaction, so that of
/// two processes that start together one makes it.
fn first_admin(connection: &mut Connection, given: Option<&str>) -> Result<Option<FirstAdmin>, Failure> {
    if users::any(connection).map_err(crate::store::Error::from)? {
        return Ok(None);
    }
    let password = given.map_or_else(password::generate, str::to_owned);
    let password_hash = password::hash(&password)?;
    let new = NewUser { name: ADMIN, password_hash: &password_hash, role: Role::Manager };
    let made = write(connection, |connection, now| {
        advisory_lock::acquire(connection, AdvisoryLock::Users)?;
        if users::any(connection)? {
            return Ok(false);
        }
        users::add(connection, &new, &Principal::shell("serve"), now).map(|()| true)
    })?;
    Ok(made.then(|| FirstAdmin(given.is_none().then_some(password))))
}

/// Says on standard error what to do next. Plain lines and no log lines: a person reads them once.
fn welcome(admin: &FirstAdmin, url: &DatabaseUrl, address: SocketAddr, public_url: &PublicUrl) {
    let program = std::env::args().next().unwrap_or_else(|| "tessera".into());
    // A server's address may hold a password, and is not shown.
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

    curl -H \"Authorization: Bearer $KEY\" -X POST {base}/TOKEN_UID/consume_token

"
    ));
}
