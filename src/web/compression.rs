//! Compresses answers in one piece, so that head and body leave in one write, with their length.

use std::io::{self, Write};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CONTENT_ENCODING, ContentEncoding, Encoding, Header, HeaderMap, HeaderValue,
    Preference, Quality, VARY,
};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, web};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A content coding (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Brotli,
    Gzip,
}

/// How much work goes into a compression.
#[derive(Clone, Copy)]
pub(crate) enum Effort {
    /// Little: it is done for each answer.
    Quick,
    /// Some: it is done once, of much, and somebody waits for it.
    Moderate,
    /// Much: it is done once.
    Thorough,
}

/// For pages. Gzip first: it takes a fraction of brotli's time, for a result that is a quarter larger.
const FOR_PAGES: [Coding; 2] = [Coding::Gzip, Coding::Brotli];
/// Bodies below this many bytes fit into one packet as they are.
const WORTH_IT: usize = 1_024;
/// Bodies up to this many bytes are compressed on the request's thread: it takes less than handing them to another.
const INLINE: usize = 64 * 1024;

impl Coding {
    /// The coding that a request accepts most; of equals, the first of `codings`.
    pub(crate) fn accepted(request: &HttpRequest, codings: [Self; 2]) -> Option<Self> {
        // Most programs send no such header, and parsing costs more than looking.
        request.headers().get(ACCEPT_ENCODING)?;
        let accepted = AcceptEncoding::parse(request).ok()?;
        let of = |wanted: &Preference<Encoding>| {
            accepted.0.iter().find(|item| item.item == *wanted).map(|item| item.quality)
        };
        let quality = |coding: Self| {
            let quality = of(&Preference::Specific(Encoding::Known(coding.name())));
            quality.or_else(|| of(&Preference::Any)).unwrap_or(Quality::ZERO)
        };
        let [first, second] = codings.map(|coding| (quality(coding), coding));
        let (quality, coding) = if second.0 > first.0 { second } else { first };
        (quality > Quality::ZERO).then_some(coding)
    }

    fn name(self) -> ContentEncoding {
        match self {
            Self::Brotli => ContentEncoding::Brotli,
            Self::Gzip => ContentEncoding::Gzip,
        }
    }

    /// Compresses `bytes`.
    pub(crate) fn compress(self, bytes: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
        let mut compressed = Vec::with_capacity(bytes.len() / 2);
        match self {
            Self::Brotli => {
                let quality = match effort {
                    Effort::Quick => 3,
                    Effort::Moderate => 9,
                    Effort::Thorough => 11,
                };
                let parameters = BrotliEncoderParams { quality, size_hint: bytes.len(), ..Default::default() };
                brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
            }
            Self::Gzip => {
                let level = if matches!(effort, Effort::Quick) { Compression::fast() } else { Compression::best() };
                let mut encoder = GzEncoder::new(&mut compressed, level);
                encoder.write_all(bytes)?;
                encoder.finish()?;
            }
        }
        Ok(compressed)
    }
}

/// Says in an answer's headers how it is coded, and that other requests may get it otherwise.
pub(crate) fn describe(headers: &mut HeaderMap, coding: Option<Coding>) {
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name().as_str()));
    }
}

/// Compresses the answers of a route, for whoever accepts it.
pub(crate) async fn compress<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let accepted = Coding::accepted(request.request(), FOR_PAGES);
    let response = next.call(request).await?;
    // An error gets its page further out.
    if response.response().error().is_some() {
        return Ok(response.map_into_boxed_body());
    }
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let plain = match body.try_into_bytes() {
        Ok(plain) => plain,
        Err(streamed) => return Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(streamed)))),
    };
    let coding = accepted.filter(|_| plain.len() >= WORTH_IT);
    let body = match coding {
        None => plain,
        Some(coding) if plain.len() <= INLINE => coding.compress(&plain, Effort::Quick)?.into(),
        Some(coding) => web::block(move || coding.compress(&plain, Effort::Quick)).await??.into(),
    };
    let mut response = response.set_body(BoxBody::new(body));
    describe(response.headers_mut(), coding);
    Ok(ServiceResponse::new(request, response))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn accepted(header: &str) -> Option<Coding> {
        let request = TestRequest::default().insert_header((ACCEPT_ENCODING, header)).to_http_request();
        Coding::accepted(&request, FOR_PAGES)
    }

    #[test]
    fn the_coding_that_is_accepted_most_is_taken() {
        for (header, coding) in [
            ("gzip, deflate, br, zstd", Some(Coding::Gzip)),
            ("br, gzip", Some(Coding::Gzip)),
            ("gzip;q=0.5, br", Some(Coding::Brotli)),
            ("br", Some(Coding::Brotli)),
            ("*", Some(Coding::Gzip)),
            ("gzip;q=0, *", Some(Coding::Brotli)),
            ("gzip;q=0", None),
            ("*;q=0", None),
            ("identity", None),
            ("zstd", None),
            ("", None),
            (";;,q=", None),
        ] {
            assert_eq!(accepted(header), coding, "{header}");
        }
    }
}
