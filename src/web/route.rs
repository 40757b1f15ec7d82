//! What a route is: one value, from which its methods, `Allow`, HEAD, compression, whether it is a JSON view, and where
//! a browser comes back to after signing in are derived.

use actix_web::dev::{Handler, ResourceDef};
use actix_web::http::Method;
use actix_web::middleware::Compress;
use actix_web::{FromRequest, HttpResponse, Resource, Responder, guard, web};

use super::error::Error;

/// What is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page for people, compressed for whoever takes it so. No other site can have one made with the cookie but by
    /// navigating to it (`SameSite`), and so none can measure what its text compresses to.
    Page,
    /// A page that shows a secret, and is therefore not compressed.
    SecretPage,
    /// A JSON view: its errors are JSON, too.
    View,
    /// A file that is compressed in itself, or that nobody should wait for to be compressed.
    File,
    /// A text file, compressed.
    TextFile,
}

/// A route: its address and what answers there.
pub(crate) struct Route {
    info: RouteInfo,
    handlers: Vec<actix_web::Route>,
}

/// What is known of a route without its handlers.
#[derive(Clone, Debug)]
pub(crate) struct RouteInfo {
    /// The address below the base path, as in `/{uid}/edit`.
    pub(crate) path: &'static str,
    /// What is there.
    pub(crate) kind: Kind,
    /// The methods it takes, HEAD included.
    pub(crate) methods: Vec<Method>,
    /// Whether it answers without signing in.
    pub(crate) is_open: bool,
    /// The page that shows what a request here was about, and which of its parameters that page takes.
    pub(crate) back: Option<(&'static str, &'static [&'static str])>,
}

impl RouteInfo {
    /// The methods as `Allow` has them (RFC 9110, section 10.2.1).
    pub(crate) fn allow(&self) -> String {
        self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Whether a browser may be sent here: it shows something and does nothing.
    pub(crate) fn is_shown(&self) -> bool {
        self.methods.contains(&Method::HEAD)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $kind:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(path: &'static str) -> Route {
            let info = RouteInfo { path, kind: Kind::$kind, methods: Vec::new(), is_open: false, back: None };
            Route { info, handlers: Vec::new() }
        }
    )*};
}

kinds! {
    /// A page.
    page Page;
    /// A page that shows a secret.
    secret_page SecretPage;
    /// A JSON view.
    view View;
    /// A file.
    file File;
    /// A text file.
    text_file TextFile;
}

impl Route {
    /// Answers GET and HEAD. Only for what does nothing: a browser comes back here after signing in.
    #[must_use]
    pub(crate) fn show<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let route = web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler);
        self.with(route, &[Method::GET, Method::HEAD])
    }

    /// Answers GET and not HEAD: for what does something, such as consuming a token.
    #[must_use]
    pub(crate) fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(web::get().to(handler), &[Method::GET])
    }

    /// Answers POST.
    #[must_use]
    pub(crate) fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(web::post().to(handler), &[Method::POST])
    }

    fn with(mut self, handler: actix_web::Route, methods: &[Method]) -> Self {
        self.info.methods.extend_from_slice(methods);
        self.handlers.push(handler);
        self
    }

    /// Answers without signing in.
    #[must_use]
    pub(crate) fn open(mut self) -> Self {
        self.info.is_open = true;
        self
    }

    /// Where a browser comes back to when it had to sign in first, and with which of its parameters.
    #[must_use]
    pub(crate) fn back_to(mut self, path: &'static str, parameters: &'static [&'static str]) -> Self {
        self.info.back = Some((path, parameters));
        self
    }

    /// What is known of it.
    pub(crate) fn info(&self) -> &RouteInfo {
        &self.info
    }

    /// Registers it below `prefix`. Methods that it does not take are refused by name.
    pub(crate) fn register(self, config: &mut web::ServiceConfig, prefix: &str) {
        let allow = self.info.allow();
        let refused = move || {
            let allow = allow.clone();
            async move { Err::<HttpResponse, _>(Error::MethodNotAllowed(allow)) }
        };
        let path = format!("{prefix}{}", self.info.path);
        let resource = self.handlers.into_iter().fold(web::resource(path), Resource::route);
        let resource = resource.default_service(web::to(refused));
        match self.info.kind {
            Kind::Page | Kind::TextFile => config.service(resource.wrap(Compress::default())),
            Kind::SecretPage | Kind::View | Kind::File => config.service(resource),
        };
    }
}

/// Every route, for those who only ask what is at an address.
pub(crate) struct RouteIndex(Vec<(RouteInfo, ResourceDef)>);

impl RouteIndex {
    /// Of a table of routes, in its order.
    pub(crate) fn new(routes: &[Route]) -> Self {
        Self(routes.iter().map(|route| (route.info.clone(), ResourceDef::new(route.info.path))).collect())
    }

    /// Every route.
    pub(crate) fn all(&self) -> impl Iterator<Item = &RouteInfo> {
        self.0.iter().map(|(info, _)| info)
    }

    /// Whether the last part of a path is the name of a JSON view, also where there is no route: a program that mistypes
    /// what stands before it still gets JSON.
    pub(crate) fn is_view(&self, path: &str) -> bool {
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let name = last(path);
        self.all().any(|route| route.kind == Kind::View && last(route.path) == name)
    }
}
