//! What holds for every request: how often one may ask, that forms come from our own pages, and the headers that keep
//! a page to itself.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Pages;
use super::door::Peer;
use super::render::Refused;
use crate::link::TASK_PATH;

/// Where a proxy on this machine says who asks.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Where browsers say whether a form is the site's own.
const FETCH_SITE: &str = "sec-fetch-site";

/// Seconds after which a held-back browser may ask again.
const RETRY_SECONDS: &str = "30";

/// Lets through what may be answered, and puts our headers on every answer.
pub(super) async fn guard(
    State(pages): State<Arc<Pages>>,
    ConnectInfo(Peer(address)): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let settings = pages.settings();
    let peer = asker(address.ip(), request.headers());
    let link = link(request.uri().path());
    let is_allowed = {
        let mut paces = pages.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.allows(peer, link, settings.clock.now())
    };
    let origin = settings.web().map_or("", |web| web.public_url.origin());
    let mut response = if !is_allowed {
        let mut response =
            pages.refuse(&settings, StatusCode::TOO_MANY_REQUESTS, Refused::TooOften);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        response
    } else if request.method() == Method::POST && !is_ours(request.headers(), origin) {
        pages.refuse(&settings, StatusCode::FORBIDDEN, Refused::CrossSite)
    } else {
        next.run(request).await
    };
    protect(&pages, response.headers_mut());
    response
}

/// Who asks: the other end of the connection, or whom a proxy on this machine names last.
fn asker(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.is_loopback() {
        return peer;
    }
    let named = headers.get_all(FORWARDED_FOR).iter().next_back();
    let last = named.and_then(|named| named.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.unwrap_or(peer)
}

/// The link in a path, as a number that memory has room for.
fn link(path: &str) -> Option<u64> {
    let (_, rest) = path.split_once(TASK_PATH)?;
    let token = rest.split('/').next()?;
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    Some(hasher.finish())
}

/// Whether a form may have come from a page of ours, as far as the browser says. `Referrer-Policy: no-referrer` makes
/// browsers hide the origin of our own forms too ("null"); the signed token in the form is what decides then.
fn is_ours(headers: &HeaderMap, origin: &str) -> bool {
    let says = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    let is_same_site = site.is_none_or(|site| site == b"same-origin");
    let is_same_origin =
        says(header::ORIGIN).is_none_or(|said| said == b"null" || said == origin.as_bytes());
    is_same_site && is_same_origin
}

/// Puts our headers on an answer.
pub(super) fn protect(pages: &Pages, headers: &mut HeaderMap) {
    for (name, value) in [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, pages.press.policy());
    // A connection ends with its page, so that none is cut just when a proxy sends the next request over it.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_a_proxy_on_this_machine_is_believed() {
        let (here, there) = ("127.0.0.1".parse().unwrap(), "203.0.113.9".parse().unwrap());
        let forwarded = headers(&[("x-forwarded-for", "198.51.100.1, 192.0.2.7")]);
        assert_eq!(asker(here, &forwarded).to_string(), "192.0.2.7");
        assert_eq!(asker(there, &forwarded), there);
        assert_eq!(asker(here, &headers(&[("x-forwarded-for", "unknown")])), here);
    }

    #[test]
    fn a_form_from_another_site_is_told_by_either_header() {
        let ours = "https://advis.kommune.example";
        for (pairs, expected) in [
            (&[][..], true),
            (&[("origin", ours)][..], true),
            (&[("origin", "null"), ("sec-fetch-site", "same-origin")][..], true),
            (&[("origin", "null")][..], true),
            (&[("origin", "null"), ("sec-fetch-site", "cross-site")][..], false),
            (&[("origin", ours), ("sec-fetch-site", "same-site")][..], false),
            (&[("origin", "https://other.example")][..], false),
            (&[("origin", "http://advis.kommune.example")][..], false),
            (&[("sec-fetch-site", "cross-site")][..], false),
        ] {
            assert_eq!(is_ours(&headers(pairs), ours), expected, "{pairs:?}");
        }
    }

    #[test]
    fn every_page_of_a_link_counts_as_that_link() {
        assert_eq!(link("/t/abc"), link("/t/abc/done"));
        assert_eq!(link("/advis/t/abc/done"), link("/t/abc"));
        assert_ne!(link("/t/abc"), link("/t/abd"));
        assert_eq!(link("/favicon.ico"), None);
    }
}
