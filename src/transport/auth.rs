//! Who may call what: one table for gRPC, gRPC-web and HTTP. What is not in it is never dispatched.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use prost::Message;
use tonic::Status;

use super::{Security, http, slow};
use crate::service::Service;
use crate::service::access::{Denied, Identity, Role};
use crate::service::quota::OverLimit;
use crate::service::tenant::DEFAULT;
use crate::wire::rpc;

/// What a caller must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nobody in particular: load balancers have no key.
    Nothing,
    /// Somebody with at least this role.
    Role(Role),
    /// Somebody of the tenant that is the operator's, [`DEFAULT`]: what is told is of all tenants.
    Operator,
}

/// What a caller sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    /// A message, which has to be whole before long.
    Message,
    /// Messages for as long as they like.
    Stream,
}

const INGEST: Need = Need::Role(Role::Ingest);
const QA: Need = Need::Role(Role::Qa);
const ADMIN: Need = Need::Role(Role::Admin);
/// Whoever has any key: each role may do what the lowest may.
const ANY_KEY: Need = INGEST;

/// Every method of every service: its full name, who may call it, what it is sent.
pub const METHODS: &[(&str, Need, Sends)] = &[
    ("callgrade.v1.Grading/StreamCalls", INGEST, Sends::Stream),
    ("callgrade.v1.Grading/GradeCall", INGEST, Sends::Message),
    ("callgrade.v1.Grading/ListScripts", INGEST, Sends::Message),
    ("callgrade.v1.Grading/GetScript", INGEST, Sends::Message),
    ("callgrade.v1.Grading/GetCallState", INGEST, Sends::Message),
    ("callgrade.v1.Records/GetCall", QA, Sends::Message),
    ("callgrade.v1.Records/ListCalls", QA, Sends::Message),
    ("callgrade.v1.Records/ExportCalls", QA, Sends::Message),
    ("callgrade.v1.Records/DeleteCall", ADMIN, Sends::Message),
    ("callgrade.v1.Scripts/PublishScript", QA, Sends::Message),
    ("callgrade.v1.Scripts/ListScriptVersions", QA, Sends::Message),
    ("callgrade.v1.Scripts/ActivateScript", QA, Sends::Message),
    ("callgrade.v1.Scripts/RollbackScript", QA, Sends::Message),
    ("callgrade.v1.Regrading/StartRegrade", QA, Sends::Message),
    ("callgrade.v1.Regrading/GetRegrade", QA, Sends::Message),
    ("callgrade.v1.Regrading/WatchRegrade", QA, Sends::Message),
    ("callgrade.v1.Regrading/CancelRegrade", QA, Sends::Message),
    ("callgrade.v1.Regrading/ListRegrades", QA, Sends::Message),
    ("callgrade.v1.Regrading/ListRegradedCalls", QA, Sends::Message),
    ("callgrade.v1.Regrading/ExportRegrade", QA, Sends::Message),
    ("callgrade.v1.Regrading/DeleteRegrade", QA, Sends::Message),
    ("grpc.health.v1.Health/Check", Need::Nothing, Sends::Message),
    ("grpc.health.v1.Health/Watch", Need::Nothing, Sends::Message),
    ("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", ANY_KEY, Sends::Stream),
    ("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", ANY_KEY, Sends::Stream),
];

/// Who may take a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Whoever may call this method.
    Like(&'static str),
    /// Whoever is this: no method does the same.
    For(Need),
}

/// Every route over HTTP: its method, its path as it is routed, and who may take it.
pub const ROUTES: &[(Method, &str, Asks)] = &[
    (Method::POST, "/v1/calls:grade", Asks::Like("callgrade.v1.Grading/GradeCall")),
    (Method::POST, "/v1/calls/{call_id}/events", Asks::Like("callgrade.v1.Grading/StreamCalls")),
    (Method::GET, "/v1/calls/{call_id}/verdict", Asks::Like("callgrade.v1.Grading/GetCallState")),
    (Method::GET, "/v1/calls/{call_id}/state", Asks::Like("callgrade.v1.Grading/GetCallState")),
    (Method::GET, "/v1/calls", Asks::Like("callgrade.v1.Records/ListCalls")),
    (Method::GET, "/v1/calls:export", Asks::Like("callgrade.v1.Records/ExportCalls")),
    (Method::GET, "/v1/calls/{call_id}", Asks::Like("callgrade.v1.Records/GetCall")),
    (Method::DELETE, "/v1/calls/{call_id}", Asks::Like("callgrade.v1.Records/DeleteCall")),
    (Method::GET, "/v1/regrades", Asks::Like("callgrade.v1.Regrading/ListRegrades")),
    (Method::POST, "/v1/regrades", Asks::Like("callgrade.v1.Regrading/StartRegrade")),
    (Method::GET, "/v1/regrades/{regrade_id}", Asks::Like("callgrade.v1.Regrading/GetRegrade")),
    (Method::DELETE, "/v1/regrades/{regrade_id}", Asks::Like("callgrade.v1.Regrading/DeleteRegrade")),
    (Method::POST, "/v1/regrades/{regrade_id}/cancel", Asks::Like("callgrade.v1.Regrading/CancelRegrade")),
    (Method::GET, "/v1/regrades/{regrade_id}/watch", Asks::Like("callgrade.v1.Regrading/WatchRegrade")),
    (Method::GET, "/v1/regrades/{regrade_id}/calls", Asks::Like("callgrade.v1.Regrading/ListRegradedCalls")),
    (Method::GET, "/v1/regrades/{regrade_id}/export", Asks::Like("callgrade.v1.Regrading/ExportRegrade")),
    (Method::GET, "/v1/scripts", Asks::Like("callgrade.v1.Grading/ListScripts")),
    (Method::GET, "/v1/openapi.json", Asks::For(ANY_KEY)),
    (Method::POST, "/v1/aliyun/report", Asks::Like("callgrade.v1.Grading/GradeCall")),
    (Method::POST, "/v1/freeswitch/cdr", Asks::Like("callgrade.v1.Grading/GradeCall")),
    (Method::GET, "/metrics", Asks::For(Need::Operator)),
    (Method::GET, "/healthz", Asks::For(Need::Nothing)),
    (Method::GET, "/readyz", Asks::For(Need::Nothing)),
];

fn method(name: &str) -> Option<(Need, Sends)> {
    METHODS.iter().find(|(known, ..)| *known == name).map(|(_, need, sends)| (*need, *sends))
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Something of the tables.
    Known(Need, Sends),
    /// A path of the table, by another method.
    OtherMethod,
    /// Nothing of the tables.
    Unknown,
}

impl Asked {
    fn of(request: &Request) -> Self {
        if let Some((need, sends)) = request.uri().path().strip_prefix('/').and_then(method) {
            return Self::Known(need, sends);
        }
        let Some(path) = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str) else { return Self::Unknown };
        // A HEAD is answered by what answers a GET.
        let by = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let mut routes = ROUTES.iter().filter(|(_, route, _)| *route == path).peekable();
        if routes.peek().is_none() {
            return Self::Unknown;
        }
        let need = routes.find(|(method, ..)| method == by).and_then(|(_, _, asks)| match asks {
            Asks::Like(name) => method(name).map(|(need, _)| need),
            Asks::For(need) => Some(*need),
        });
        need.map_or(Self::OtherMethod, |need| Self::Known(need, Sends::Message))
    }
}

/// The key or token that came with a request.
fn presented(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().map_err(|_| Denied::Unreadable)).transpose();
    let authorization = text("authorization")?;
    // The scheme's name is of either case (RFC 9110, 11.1).
    let bearer = authorization.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match (bearer, text("x-api-key")?) {
        (Some((_, token)), _) => Ok(Some(token.trim())),
        (None, Some(key)) => Ok(Some(key.trim())),
        (None, None) if authorization.is_some() => Err(Denied::Unreadable),
        (None, None) => Ok(None),
    }
}

/// Why a request is not passed on.
#[derive(Debug)]
enum Refused {
    Denied(Denied),
    /// The role is too low: the one that is asked for, the one there is.
    Role(Role, Role),
    /// What is asked for is the operator's.
    Operator,
    Over(OverLimit),
    /// The request's body did not come in time.
    Slow(slow::Late),
}

impl Refused {
    fn status(&self) -> (StatusCode, Status) {
        match self {
            Self::Denied(denied) => (StatusCode::UNAUTHORIZED, Status::unauthenticated(denied.to_string())),
            Self::Role(least, role) => {
                (StatusCode::FORBIDDEN, Status::permission_denied(format!("this takes the role {least}; the key or token has {role}")))
            }
            Self::Operator => {
                let reason = format!("this tells of all tenants: it takes a key or token of tenant {DEFAULT}");
                (StatusCode::FORBIDDEN, Status::permission_denied(reason))
            }
            Self::Over(over) => (StatusCode::TOO_MANY_REQUESTS, over.status()),
            Self::Slow(late) => (StatusCode::REQUEST_TIMEOUT, Status::deadline_exceeded(late.to_string())),
        }
    }

    /// The answer, in the asker's own protocol.
    fn answer(&self, kind: Option<&HeaderValue>) -> Response {
        let (http, status) = self.status();
        if let Some(kind) = kind.filter(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
            let mut response: Response = status.into_http();
            if kind.as_bytes().starts_with(b"application/grpc-web") {
                response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
            }
            return response;
        }
        let details = rpc::Status::decode(status.details()).map(|status| status.details).unwrap_or_default();
        let status = rpc::Status { code: status.code().into(), message: status.message().to_owned(), details };
        let mut response = http::error(http, &status);
        match self {
            Self::Denied(_) => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"callgrade\""));
            }
            Self::Over(over) => {
                let seconds = over.retry.as_secs() + u64::from(over.retry.subsec_nanos() > 0);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Self::Role(..) | Self::Operator | Self::Slow(_) => {}
        }
        response
    }
}

/// Lets a request through to what it asks for, with its [`Identity`], or answers it.
pub(super) async fn guard(State((security, service)): State<(Arc<Security>, Arc<Service>)>, mut request: Request, next: Next) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let asked = Asked::of(&request);
    if !matches!(asked, Asked::Known(Need::Nothing, _)) {
        match admit(&security, &service, request.headers(), asked) {
            Ok(identity) => {
                tracing::Span::current().record("tenant", &*identity.tenant);
                request.extensions_mut().insert(identity);
            }
            Err(refused) => return refused.answer(kind.as_ref()),
        }
    }
    match asked {
        Asked::Unknown => http::unknown(request).await,
        Asked::OtherMethod => http::wrong_method(request).await,
        Asked::Known(_, Sends::Stream) => next.run(request).await,
        Asked::Known(_, Sends::Message) => {
            let (request, late) = slow::watch(request, security.body);
            tokio::select! {
                response = next.run(request) => response,
                late = late => Refused::Slow(late).answer(kind.as_ref()),
            }
        }
    }
}

/// Who asks, if they may.
fn admit(security: &Security, service: &Service, headers: &HeaderMap, asked: Asked) -> Result<Identity, Refused> {
    let identity = if security.access.is_open() {
        Identity::open()
    } else {
        presented(headers).and_then(|presented| security.access.authenticate(presented)).map_err(Refused::Denied)?
    };
    service.tenants.of(&identity.tenant).admit_request().map_err(Refused::Over)?;
    match asked {
        Asked::Known(Need::Role(least), _) if identity.role < least => Err(Refused::Role(least, identity.role)),
        Asked::Known(Need::Operator, _) if *identity.tenant != *DEFAULT => Err(Refused::Operator),
        _ => Ok(identity),
    }
}

/// Who sent a request that [`guard`] let through.
pub(super) fn identity(extensions: &Extensions) -> Identity {
    extensions.get::<Identity>().cloned().unwrap_or_else(Identity::open)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::wire::DESCRIPTORS;

    /// Every method of the services that the server has, and whether its client streams.
    fn described() -> BTreeMap<String, bool> {
        let sets = [
            DESCRIPTORS,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let mut methods = BTreeMap::new();
        for file in sets.into_iter().flat_map(|set| FileDescriptorSet::decode(set).expect("descriptors").file) {
            for service in &file.service {
                for method in &service.method {
                    methods.insert(format!("{}.{}/{}", file.package(), service.name(), method.name()), method.client_streaming());
                }
            }
        }
        methods
    }

    #[test]
    fn every_method_of_every_service_is_in_the_table_and_no_other() {
        let table: BTreeMap<String, bool> = METHODS.iter().map(|(name, _, sends)| ((*name).to_owned(), *sends == Sends::Stream)).collect();
        assert_eq!(table.len(), METHODS.len(), "each once");
        assert_eq!(table, described());
    }

    #[test]
    fn only_health_needs_no_key() {
        let public: Vec<&str> = METHODS.iter().filter(|(_, need, _)| *need == Need::Nothing).map(|(name, ..)| *name).collect();
        assert_eq!(public, ["grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch"]);
        let public: Vec<&str> = ROUTES.iter().filter(|(.., asks)| *asks == Asks::For(Need::Nothing)).map(|(_, path, _)| *path).collect();
        assert_eq!(public, ["/healthz", "/readyz"]);
    }

    #[test]
    fn routes_are_like_methods_that_there_are() {
        for (verb, path, asks) in ROUTES {
            if let Asks::Like(name) = asks {
                assert!(method(name).is_some(), "{verb} {path} is like {name}");
            }
        }
    }

    #[test]
    fn every_described_route_is_in_the_table() {
        let document: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).expect("the document");
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for verb in methods.as_object().expect("methods").keys().filter(|verb| *verb != "parameters") {
                let routed = path.replace("{callId}", "{call_id}").replace("{regradeId}", "{regrade_id}");
                let known = ROUTES.iter().any(|(method, route, _)| *route == routed && method.as_str() == verb.to_uppercase());
                assert!(known, "{verb} {path}");
            }
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn keys_and_tokens_are_found_in_either_header() {
        let found = |pairs: &[(&'static str, &'static str)]| presented(&headers(pairs)).map(|found| found.map(str::to_owned));
        let abc = Ok(Some("abc".to_owned()));
        assert_eq!(found(&[]), Ok(None));
        assert_eq!(found(&[("authorization", "Bearer abc")]), abc);
        assert_eq!(found(&[("authorization", "bearer  abc ")]), abc);
        assert_eq!(found(&[("x-api-key", "abc")]), abc);
        assert_eq!(found(&[("authorization", "Bearer abc"), ("x-api-key", "def")]), abc);
        assert_eq!(found(&[("authorization", "Basic def"), ("x-api-key", "abc")]), abc);
        assert_eq!(found(&[("authorization", "Basic abc")]), Err(Denied::Unreadable));
    }
}
