//! gRPC health, per service: those that are registered, each as ready as the server is.

use std::convert::Infallible;

use axum::Router;
use axum::response::IntoResponse;
use http::Request;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::service::Condition;

/// The gRPC services of a server, and their names.
#[derive(Default)]
pub(super) struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
}

impl Services {
    /// One more.
    pub(super) fn add<S>(&mut self, service: S)
    where
        S: tower::Service<Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.names.push(S::NAME);
    }

    /// Their routes, with that of health, and where their health is told.
    pub(super) fn routes(mut self) -> (Health, Router) {
        let (reporter, service) = tonic_health::server::health_reporter();
        self.add(service);
        // The empty name stands for the server as a whole.
        self.names.push("");
        let Self { routes, names } = self;
        (Health { reporter, names }, routes.routes().prepare().into_axum_router())
    }
}

/// Where the health of the services is told.
#[derive(Clone)]
pub(super) struct Health {
    reporter: HealthReporter,
    names: Vec<&'static str>,
}

impl Health {
    /// Tells those who ask and those who watch.
    pub(super) async fn tell(&self, condition: Condition) {
        let status = if condition.unready().is_none() { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in &self.names {
            self.reporter.set_service_status(name, status).await;
        }
    }

    /// Tells every change.
    pub(super) async fn follow(self, mut conditions: watch::Receiver<Condition>) {
        loop {
            let condition = *conditions.borrow_and_update();
            self.tell(condition).await;
            if conditions.changed().await.is_err() {
                return;
            }
        }
    }
}
