//! Numbers that are written with their unit: durations, sizes.

use std::{ops::RangeInclusive, time::Duration};

use ::config::ValueKind;

use super::raw::{Hint, Raw};

/// Units of size, in the order in which an error lists them.
const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
];

/// A duration within `range`. A bare number is refused: half of its readers take it for seconds,
/// the other half for milliseconds.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(Raw<'_>) -> Result<Duration, Hint> {
    move |raw| {
        let text = match raw.kind {
            ValueKind::String(text) => text.trim(),
            ValueKind::I64(number) => return Err(without_unit(*number)),
            _ => return Err(duration_advice()),
        };
        if let Ok(number) = text.parse::<i64>() {
            return Err(without_unit(number));
        }
        let value = humantime::parse_duration(text).map_err(|_| duration_advice())?;
        if range.contains(&value) {
            return Ok(value);
        }
        let [start, end] =
            [range.start(), range.end()].map(|bound| humantime::format_duration(*bound));
        Err(format!("it must be from {start} to {end}"))
    }
}

/// A number of bytes within `range`: a bare number, or one with B, KiB, MiB, GiB, kB or MB.
pub(super) fn size(range: RangeInclusive<u64>) -> impl Fn(Raw<'_>) -> Result<usize, Hint> {
    move |raw| {
        let bytes = match raw.kind {
            ValueKind::I64(number) => u64::try_from(*number).ok(),
            ValueKind::String(text) => parse_size(text.trim()),
            _ => None,
        };
        let bytes = bytes.ok_or("write a size such as \"64KiB\", \"1MiB\" or 65536 (bytes)")?;
        let fits = range
            .contains(&bytes)
            .then(|| usize::try_from(bytes).ok())
            .flatten();
        fits.ok_or_else(|| {
            format!(
                "it must be from {} to {}",
                written_size(*range.start()),
                written_size(*range.end())
            )
        })
    }
}

fn duration_advice() -> Hint {
    "write a duration with its unit, such as \"500ms\", \"30s\", \"10m\" or \"6h\"".to_owned()
}

fn without_unit(number: i64) -> Hint {
    format!(
        "a duration needs its unit: write \"{number}s\" for seconds, \"{number}ms\" for milliseconds"
    )
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let factor = if unit.is_empty() {
        1
    } else {
        UNITS.iter().find(|(name, _)| *name == unit)?.1
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn written_size(bytes: u64) -> String {
    let whole = UNITS[..4]
        .iter()
        .rev()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    whole.map_or_else(
        || format!("{bytes}B"),
        |(unit, factor)| format!("{}{unit}", bytes / factor),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, parser: impl Fn(Raw<'_>) -> Result<T, Hint>) -> Result<T, Hint> {
        parser(Raw {
            kind: &ValueKind::from(text),
            is_text: true,
        })
    }

    #[test]
    fn sizes_are_read_in_bytes_or_with_a_unit_and_nothing_else() {
        for (text, bytes) in [
            ("64KiB", 65_536),
            ("64 KiB", 65_536),
            ("1MiB", 1 << 20),
            ("1MB", 1_000_000),
            ("512", 512),
            ("512B", 512),
        ] {
            assert_eq!(read(text, size(0..=u64::MAX)), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "KiB",
            "-1",
            "1.5MiB",
            "64kib",
            "64 Ki B",
            "99999999999999999999",
            "99999999999GiB",
        ] {
            assert!(read(text, size(0..=u64::MAX)).is_err(), "{text}");
        }
    }

    #[test]
    fn the_bounds_of_a_size_are_inside() {
        let bounds = || size(256..=65_536);
        assert!(read("256", bounds()).is_ok());
        assert!(read("64KiB", bounds()).is_ok());
        assert!(read("255", bounds()).is_err());
        assert_eq!(
            read("65537", bounds()),
            Err("it must be from 256B to 64KiB".to_owned())
        );
    }

    #[test]
    fn durations_need_a_unit() {
        let any = || duration(Duration::ZERO..=Duration::MAX);
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("10m", 600_000),
            ("6h", 21_600_000),
            ("1h 30m", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(
                read(text, any()),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        assert_eq!(
            read("300", any()),
            Err(
                "a duration needs its unit: write \"300s\" for seconds, \"300ms\" for milliseconds"
                    .to_owned()
            )
        );
        assert!(read("soon", any()).is_err());
        assert!(read("-5s", any()).is_err());
    }
}
