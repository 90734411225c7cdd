//! The position of a request in a trace: the headers `traceparent` and `X-Amzn-Trace-Id` in, `traceparent` and `traceresponse` out.
//!
//! See <https://www.w3.org/TR/trace-context/> and
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>.

use http::{HeaderMap, HeaderName};
pub use opentelemetry::trace::SpanContext;
use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};

/// The header with the trace of the sender of a request, and the attribute of a message with that of its writer.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The header of the response to a write with the trace in which it was made.
pub const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// The header with the trace that AWS has begun.
pub(crate) const AMAZON_TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// The length of a `traceparent` of version 00 in characters.
const TRACEPARENT_CHARS: usize = 55;

/// Reads the trace of the sender from the headers of a request.
pub(crate) fn from_headers(headers: &HeaderMap) -> Option<SpanContext> {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    only(TRACEPARENT).and_then(parse).or_else(|| only(AMAZON_TRACE).and_then(parse_amazon))
}

/// Parses a `traceparent`, such as `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. A later version may have more parts.
pub fn parse(header: &str) -> Option<SpanContext> {
    let mut parts = header.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_version = hexadecimal(version, 2) && version != "ff";
    let is_whole = version != "00" || header.trim().len() == TRACEPARENT_CHARS;
    if !(is_version && is_whole && hexadecimal(flags, 2)) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    context(trace, span, flags)
}

/// Parses an `X-Amzn-Trace-Id`, such as `Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1`.
fn parse_amazon(header: &str) -> Option<SpanContext> {
    let field = |name: &str| {
        let mut fields = header.split(';').filter_map(|field| field.trim().split_once('='));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let (time, rest) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    let trace = (time.len() == 8).then(|| format!("{time}{rest}"))?;
    let flags = if field("Sampled") == Some("1") { TraceFlags::SAMPLED } else { TraceFlags::default() };
    match field("Parent") {
        Some(parent) => context(&trace, parent, flags),
        // A load balancer names no span, so a part of the trace id stands for it.
        None => context(&trace, trace.get(16..)?, flags),
    }
}

fn context(trace: &str, span: &str, flags: TraceFlags) -> Option<SpanContext> {
    if !hexadecimal(trace, 32) || !hexadecimal(span, 16) {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

fn hexadecimal(text: &str, chars: usize) -> bool {
    text.len() == chars && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns a new position in the trace of `parent`, or in a new one. Used while no spans are made, so that logs of several services can
/// be joined all the same.
pub(crate) fn next(parent: Option<&SpanContext>) -> SpanContext {
    let ids = RandomIdGenerator::default();
    let (trace, flags) = match parent {
        Some(parent) => (parent.trace_id(), parent.trace_flags()),
        None => (ids.new_trace_id(), TraceFlags::default()),
    };
    SpanContext::new(trace, ids.new_span_id(), flags, false, TraceState::NONE)
}

/// Formats a position as a `traceparent`.
pub(crate) fn format(context: &SpanContext) -> String {
    let sampled = u8::from(context.is_sampled());
    format!("00-{:032x}-{:016x}-{sampled:02x}", context.trace_id(), context.span_id())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn trace_of(headers: &[(&'static str, &str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        from_headers(&map).map(|context| format(&context))
    }

    #[test]
    fn the_trace_of_the_sender_is_read_from_either_header() {
        let w3c = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(trace_of(&[("traceparent", &w3c)]), Some(w3c.clone()));
        let amazon = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1";
        let of_amazon = "00-67891233abcdef012345678912345678-463ac35c9f6413ad-01".to_owned();
        assert_eq!(trace_of(&[("x-amzn-trace-id", amazon)]), Some(of_amazon.clone()));
        assert_eq!(trace_of(&[("traceparent", &w3c), ("x-amzn-trace-id", amazon)]), Some(w3c));
        assert_eq!(trace_of(&[("traceparent", "x"), ("x-amzn-trace-id", amazon)]), Some(of_amazon));
        let of_balancer = trace_of(&[("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678")]);
        assert_eq!(of_balancer.unwrap()[..35], "00-67891233abcdef012345678912345678"[..]);
    }

    #[test]
    fn malformed_headers_are_ignored() {
        let zeros = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let version = format!("ff-{TRACE}-00f067aa0ba902b7-01");
        let upper = format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase());
        let longer = format!("00-{TRACE}-00f067aa0ba902b7-01-more");
        for header in ["", "00", zeros, &version, &upper, &longer, "00-é-00f067aa0ba902b7-01"] {
            assert_eq!(parse(header), None, "{header}");
        }
        for header in [
            "",
            "Root=",
            "Root=1-x-y",
            "Root=2-67891233-abcdef012345678912345678",
            "Root=1-6789123-3abcdef012345678912345678",
        ] {
            assert_eq!(parse_amazon(header), None, "{header}");
        }
        let later = format!("01-{TRACE}-00f067aa0ba902b7-01-more");
        assert!(parse(&later).is_some(), "a later version may have more parts");
        let twice = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(trace_of(&[("traceparent", &twice), ("traceparent", &twice)]), None);
    }

    #[test]
    fn without_a_trace_of_the_sender_a_new_one_begins() {
        let (one, two) = (next(None), next(None));
        assert!(one.is_valid() && one.trace_id() != two.trace_id() && !one.is_sampled());
        let child = next(Some(&one));
        assert!(child.trace_id() == one.trace_id() && child.span_id() != one.span_id());
    }
}
