//! A client that keeps its cookies and sends forms as a browser does, without being one.

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response, redirect};
use tessera::access::{Principal, Role, password};
use tessera::store::accounts::users;
use tessera::store::accounts::users::NewUser;
use tessera::store::connection::transaction;
use tessera::token::Micros;

use crate::support::app::App;
use crate::support::forms::unescape;

/// The password of every user that tests make.
pub const PASSWORD: &str = "mosaic-tile-1887";

/// A signed-in browser, or one that is not.
pub struct Browser<'a> {
    app: &'a App,
    client: reqwest::Client,
    cookie: Option<String>,
    /// Sent with every request, as current browsers do.
    pub site: Option<&'static str>,
}

/// A page, or a redirect to one.
#[derive(Debug)]
pub struct PageAnswer {
    pub status: u16,
    pub location: String,
    pub headers: HeaderMap,
    pub text: String,
}

impl PageAnswer {
    /// Holds that it has this status and says all of this.
    #[track_caller]
    pub fn check(&self, status: u16, says: &[&str]) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        let shown = unescape(&self.text);
        for words in says {
            assert!(self.text.contains(words) || shown.contains(words), "{words:?} is not in {}", self.text);
        }
        self
    }

    /// Holds that it leads on to an address that begins so.
    #[track_caller]
    pub fn check_leads_to(&self, location: &str) -> &Self {
        assert_eq!(self.status, 303, "{}", self.text);
        assert!(self.location.starts_with(location), "{} does not begin with {location}", self.location);
        self
    }

    /// The value of a form's field.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let start =
            self.text.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no field {name} in {}", self.text));
        let tag = &self.text[start..start + self.text[start..].find('>').unwrap()];
        let value = tag.split("value=\"").nth(1).map(|rest| rest.split('"').next().unwrap()).unwrap_or_default();
        unescape(value)
    }
}

impl<'a> Browser<'a> {
    /// A browser that nobody has signed in with.
    pub fn new(app: &'a App) -> Self {
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { app, client, cookie: None, site: Some("same-origin") }
    }

    /// A browser in which a new user of that role is signed in.
    pub async fn of(app: &'a App, role: Role) -> Self {
        add_user(app, role.word(), role);
        let mut browser = Self::new(app);
        browser.sign_in(role.word()).await.check_leads_to("/");
        browser
    }

    /// Another window of a browser that has this cookie.
    pub fn of_cookie(app: &'a App, cookie: &str) -> Self {
        Self { cookie: Some(cookie.to_owned()), ..Self::new(app) }
    }

    pub async fn sign_in(&mut self, name: &str) -> PageAnswer {
        self.post("/login", &[("name", name), ("password", PASSWORD)]).await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.app.base)).header("Accept", "text/html");
        if let Some(site) = self.site {
            request = request.header("Sec-Fetch-Site", site);
        }
        match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    pub async fn get(&mut self, path: &str) -> PageAnswer {
        let response = self.request(Method::GET, path).send().await.unwrap();
        self.answer(response).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> PageAnswer {
        let response = self.request(Method::POST, path).form(form).send().await.unwrap();
        self.answer(response).await
    }

    /// The session cookie, as `name=value`.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Loses its cookies.
    pub fn forget(&mut self) {
        self.cookie = None;
    }

    /// Takes a cookie from elsewhere.
    pub fn set_cookie(&mut self, cookie: &str) {
        self.cookie = Some(cookie.to_owned());
    }

    async fn answer(&mut self, response: Response) -> PageAnswer {
        let headers = response.headers().clone();
        if let Some(set) = headers.get(SET_COOKIE).map(|set| set.to_str().unwrap()) {
            let pair = set.split(';').next().unwrap();
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        let location = headers.get(LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        PageAnswer { status: response.status().as_u16(), location, headers, text: response.text().await.unwrap() }
    }
}

/// Adds a user of that role.
pub fn add_user(app: &App, name: &str, role: Role) {
    let password_hash = password::hash(PASSWORD).unwrap();
    let new = NewUser { name, password_hash: &password_hash, role };
    let by = Principal::shell("test");
    transaction(&mut app.connection(), |connection| users::add(connection, &new, &by, Micros::now())).unwrap();
}

/// The secret that a page shows once.
pub fn shown_secret(page: &PageAnswer) -> String {
    let start = page.text.find("<code>").unwrap_or_else(|| panic!("no secret in {}", page.text)) + "<code>".len();
    page.text[start..].split("</code>").next().unwrap().to_owned()
}
