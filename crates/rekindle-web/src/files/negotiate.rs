//! Which encodings a request prefers (RFC 9110, section 12.5.3). Pure.

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;
use rekindle_templates::Encoding;

/// What a request says of content codings, in thousandths.
#[derive(Debug, Default)]
struct Weights {
    brotli: Option<u16>,
    gzip: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

/// The encodings that a request would rather have than none, the best first.
pub(super) fn preferred(headers: &HeaderMap) -> Vec<Encoding> {
    let weights = weights(headers);
    let plain = weights.identity.unwrap_or(0);
    let weigh = |encoding| (weights.of(encoding).unwrap_or(0), encoding);
    let mut wanted: Vec<(u16, Encoding)> = Encoding::ALL.into_iter().map(weigh).collect();
    wanted.retain(|(weight, _)| *weight > 0 && *weight >= plain);
    // Stable: of those that are as welcome, the smallest is first.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.into_iter().map(|(_, encoding)| encoding).collect()
}

impl Weights {
    fn of(&self, encoding: Encoding) -> Option<u16> {
        let named = match encoding {
            Encoding::Brotli => self.brotli,
            Encoding::Gzip => self.gzip,
            _ => None,
        };
        named.or(self.any)
    }

    fn set(&mut self, coding: &str, weight: u16) {
        let place = match coding.to_ascii_lowercase().as_str() {
            "br" => &mut self.brotli,
            "gzip" | "x-gzip" => &mut self.gzip,
            "identity" => &mut self.identity,
            "*" => &mut self.any,
            _ => return,
        };
        *place = Some(weight);
    }
}

fn weights(headers: &HeaderMap) -> Weights {
    let mut weights = Weights::default();
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for item in values.flat_map(|value| value.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or("");
        // What is malformed is taken for a refusal: plain is always right.
        weights.set(coding, parts.next().map_or(Some(1000), weight).unwrap_or(0));
    }
    weights
}

/// `q=0.8` in thousandths.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let digits = value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let weight: f32 = value.parse().ok().filter(|_| digits && name.eq_ignore_ascii_case("q"))?;
    // At most three digits after the point: whole thousandths, from 0 to 1000.
    (0.0..=1.0).contains(&weight).then(|| (weight * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::{Brotli, Gzip};

    fn preferred_by(values: &[&str]) -> Vec<Encoding> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_ENCODING, value.parse().expect("a header"));
        }
        preferred(&headers)
    }

    #[test]
    fn weights_decide_and_then_the_size() {
        let cases: [(&[&str], &[Encoding]); 17] = [
            (&[], &[]),
            (&[""], &[]),
            (&["gzip, deflate, br, zstd"], &[Brotli, Gzip]),
            (&["gzip", "br"], &[Brotli, Gzip]),
            (&["GZIP"], &[Gzip]),
            (&["x-gzip"], &[Gzip]),
            (&["br;q=0.5, gzip;q=0.8"], &[Gzip, Brotli]),
            (&["br ; q = 0.5 , gzip"], &[Gzip, Brotli]),
            (&["br;q=0, *"], &[Gzip]),
            (&["*"], &[Brotli, Gzip]),
            (&["*;q=0"], &[]),
            (&["identity, br;q=0.5"], &[]),
            (&["identity;q=0.5, br;q=0.8, gzip;q=0.2"], &[Brotli]),
            (&["identity;q=0, gzip;q=0.001"], &[Gzip]),
            (&["br;q=nan, gzip;q=1.5"], &[]),
            (&["br;q=-1, gzip;q=1e0"], &[]),
            (&["brx, xgzip"], &[]),
        ];
        for (values, expected) in cases {
            assert_eq!(preferred_by(values), expected, "{values:?}");
        }
    }
}
