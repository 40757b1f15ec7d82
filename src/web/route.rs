//! What a route is: one value, from which its methods, `Allow`, HEAD, compression, whether it is a JSON view, and where
//! a browser comes back to after signing in are derived.

use std::collections::HashSet;

use actix_web::dev::{Handler, Path, ResourceDef};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Resource, Responder, guard, web};

use super::compression::compress;
use super::error::Error;
use super::openapi::operation::{DescribesAnswer, DescribesRequest, Operation, describe, names_of_request};
use crate::token::Uid;

/// What is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page for people, compressed for whoever takes it so. No other site can have one made with the cookie but by
    /// navigating to it (`SameSite`), and so none can measure what its text compresses to.
    Page,
    /// A page that shows a secret, and is therefore not compressed.
    SecretPage,
    /// A JSON view: its errors are JSON, too.
    View,
    /// A file, which is compressed in itself or by itself, if at all.
    File,
    /// A page that is sent while it is made: a compressor would hold it back.
    StreamedPage,
}

/// A route: its address and what answers there.
pub struct Route {
    info: RouteInfo,
    handlers: Vec<actix_web::Route>,
}

/// What is known of a route without its handlers.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// The address below the base path, as in `/{uid}/edit`.
    pub path: &'static str,
    /// What is there.
    pub kind: Kind,
    /// The methods it takes, HEAD included.
    pub methods: Vec<Method>,
    /// The names of the parameters that it takes by each method; one with a `*` at its end means all that begin so.
    pub parameters: Vec<(Method, Vec<&'static str>)>,
    /// Whether it answers without signing in.
    pub is_open: bool,
    /// Where a browser comes back to that had to sign in first.
    pub(crate) back: Option<Back>,
    /// What is described to programs, by method.
    pub(crate) operations: Vec<(Method, Describe)>,
}

/// Describes what a handler takes and answers.
pub(crate) type Describe = fn(&mut Operation);

/// Where a browser comes back to that had to sign in first.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    /// A page that shows what the request was about.
    pub(crate) page: &'static str,
    /// The request's parameters that the page takes, if they are not simply those that it reads; one with a `*` at its end
    /// means all that begin so.
    pub(crate) parameters: Option<Vec<&'static str>>,
    /// The page where none of them can be brought back.
    pub(crate) without: &'static str,
}

impl RouteInfo {
    /// The methods as `Allow` has them (RFC 9110, section 10.2.1).
    pub fn allow(&self) -> String {
        self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Whether a browser may be sent here: it shows something and does nothing.
    pub fn is_shown(&self) -> bool {
        self.methods.contains(&Method::HEAD)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $kind:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(path: &'static str) -> Route {
            let info = RouteInfo { path, kind: Kind::$kind, methods: Vec::new(), parameters: Vec::new(), is_open: false, back: None, operations: Vec::new() };
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
    /// A page that is sent while it is made.
    streamed_page StreamedPage;
}

impl Route {
    /// Answers GET and HEAD. Only for what does nothing: a browser comes back here after signing in.
    #[must_use]
    pub(crate) fn show<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + DescribesRequest + 'static,
        F::Output: Responder + 'static,
    {
        let route = web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler);
        self.with::<Args>(route, &[Method::GET, Method::HEAD])
    }

    /// Answers GET and not HEAD: for what does something, such as consuming a token.
    #[must_use]
    pub(crate) fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + DescribesRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with::<Args>(web::get().to(handler), &[Method::GET])
    }

    /// Answers POST.
    #[must_use]
    pub(crate) fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + DescribesRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with::<Args>(web::post().to(handler), &[Method::POST])
    }

    /// As [`Route::get`], and described to programs.
    #[must_use]
    pub(crate) fn get_view<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + DescribesRequest + 'static,
        F::Output: Responder + DescribesAnswer + 'static,
    {
        self.described::<Args, F::Output>(Method::GET).get(handler)
    }

    /// As [`Route::post`], and described to programs.
    #[must_use]
    pub(crate) fn post_view<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + DescribesRequest + 'static,
        F::Output: Responder + DescribesAnswer + 'static,
    {
        self.described::<Args, F::Output>(Method::POST).post(handler)
    }

    fn described<Args: DescribesRequest, Output: DescribesAnswer>(mut self, method: Method) -> Self {
        self.info.operations.push((method, describe::<Args, Output>));
        self
    }

    fn with<Args: DescribesRequest>(mut self, handler: actix_web::Route, methods: &[Method]) -> Self {
        self.info.methods.extend_from_slice(methods);
        self.info.parameters.extend(methods.iter().map(|method| (method.clone(), names_of_request::<Args>())));
        self.handlers.push(handler);
        self
    }

    /// Answers without signing in.
    #[must_use]
    pub(crate) fn open(mut self) -> Self {
        self.info.is_open = true;
        self
    }

    /// Where a browser comes back to when the parameters that the other page needs cannot be brought back.
    #[must_use]
    pub(crate) fn or_to(mut self, path: &'static str) -> Self {
        self.info.back = self.info.back.map(|back| Back { without: path, ..back });
        self
    }

    /// Where a browser comes back to that had to sign in first: a page that shows what the request was about, with what that
    /// page reads of what was typed and chosen. So its address has no secret, but what the form knew: what somebody else
    /// changed meanwhile is still a conflict. In `path`, `{uid}` and the like are this route's.
    #[must_use]
    pub(crate) fn comes_back_to(mut self, path: &'static str) -> Self {
        self.info.back = Some(Back { page: path, parameters: None, without: path });
        self
    }

    /// A browser comes back to this page, with what it reads of what was typed.
    #[must_use]
    pub(crate) fn comes_back(self) -> Self {
        let path = self.info.path;
        self.comes_back_to(path)
    }

    /// Where a browser comes back to with the parameters of `Args` alone: that page reads more, and would act on it.
    #[must_use]
    pub(crate) fn comes_back_with<Args: DescribesRequest>(mut self, path: &'static str) -> Self {
        self.info.back = Some(Back { page: path, parameters: Some(names_of_request::<Args>()), without: path });
        self
    }

    /// What is known of it.
    pub fn info(&self) -> &RouteInfo {
        &self.info
    }

    /// Registers it below `prefix`. Methods that it does not take are refused by name.
    pub(crate) fn register(self, config: &mut web::ServiceConfig, prefix: &str) {
        let allow = self.info.allow();
        let is_view = self.info.kind == Kind::View;
        // A page that is named by a uid is not there without one: a view whose name is mistyped is no page.
        let refused = move |request: HttpRequest| {
            let uid = request.match_info().get("uid").filter(|_| !is_view);
            let is_there = uid.is_none_or(|uid| uid.parse::<Uid>().is_ok());
            let error = if is_there { Error::MethodNotAllowed(allow.clone()) } else { Error::NotFound };
            async move { Err::<HttpResponse, _>(error) }
        };
        let path = format!("{prefix}{}", self.info.path);
        let resource = self.handlers.into_iter().fold(web::resource(path), Resource::route);
        let resource = resource.default_service(web::to(refused));
        match self.info.kind {
            Kind::Page => config.service(resource.wrap(from_fn(compress))),
            Kind::SecretPage | Kind::View | Kind::File | Kind::StreamedPage => config.service(resource),
        };
    }
}

/// Every route, for those who only ask what is at an address.
pub struct RouteIndex {
    routes: Vec<(RouteInfo, ResourceDef)>,
    /// The last parts of the JSON views' paths.
    views: HashSet<&'static str>,
}

impl RouteIndex {
    /// Of a table of routes, in its order.
    pub fn new(routes: &[Route]) -> Self {
        let views = routes.iter().filter(|route| route.info.kind == Kind::View);
        let views = views.map(|route| last_part(route.info.path)).collect();
        let shown = |path: &str| {
            let page = routes.iter().map(|route| &route.info).find(|info| info.path == path);
            page.and_then(|page| page.parameters.iter().find(|(method, _)| *method == Method::GET))
                .map(|(_, names)| names.clone())
        };
        let resolved = |route: &Route| {
            let mut info = route.info.clone();
            if let Some(back) = info.back.as_mut().filter(|back| back.parameters.is_none()) {
                back.parameters = shown(back.page);
            }
            (info, ResourceDef::new(route.info.path))
        };
        Self { routes: routes.iter().map(resolved).collect(), views }
    }

    /// Every route.
    pub fn all(&self) -> impl Iterator<Item = &RouteInfo> {
        self.routes.iter().map(|(info, _)| info)
    }

    /// The route of a path below the base path, which may have a slash at its end, and what stands in its places, as in
    /// `{uid}`.
    pub(crate) fn find(&self, path: &str) -> Option<(&RouteInfo, Vec<(String, String)>)> {
        let trimmed = path.strip_suffix('/').filter(|path| !path.is_empty() && !path.ends_with('/'));
        let path = trimmed.unwrap_or(path);
        let (info, pattern) = self.routes.iter().find(|(_, pattern)| pattern.is_match(path))?;
        let mut matched = Path::new(path);
        pattern.capture_match_info(&mut matched);
        let places = matched.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some((info, places.collect()))
    }

    /// Whether the last part of a path is the name of a JSON view, also where there is no route: a program that mistypes
    /// what stands before it still gets JSON.
    pub(crate) fn is_view(&self, path: &str) -> bool {
        self.views.contains(last_part(path))
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
