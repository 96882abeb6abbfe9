//! Parses and formats durations and sizes, which have a unit.

use std::{ops::RangeInclusive, time::Duration};

use ::config::ValueKind;

use super::raw::{Hint, Raw};

/// Units of size. The binary units come first, in ascending order, and are used for output.
const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
];

/// Parses a duration within `range`. A number without a unit is rejected, because it is ambiguous
/// between seconds and milliseconds.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(Raw<'_>) -> Result<Duration, Hint> {
    move |raw| {
        let text = match raw.kind {
            ValueKind::String(text) => text.trim(),
            ValueKind::I64(number) => return Err(missing_unit_hint(*number)),
            _ => return Err(duration_hint()),
        };
        if let Ok(number) = text.parse::<i64>() {
            return Err(missing_unit_hint(number));
        }
        let value = humantime::parse_duration(text).map_err(|_| duration_hint())?;
        if range.contains(&value) {
            return Ok(value);
        }
        let [min, max] = [range.start(), range.end()].map(|bound| format_duration(*bound));
        Err(format!("it must be from {min} to {max}"))
    }
}

/// Formats a duration in the notation of the configuration, such as `30s` or `6h`.
pub(super) fn format_duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

/// Parses a number of bytes within `range`, with an optional unit: B, KiB, MiB, GiB, kB, KB or MB.
pub(super) fn size(range: RangeInclusive<usize>) -> impl Fn(Raw<'_>) -> Result<usize, Hint> {
    move |raw| {
        let bytes = match raw.kind {
            ValueKind::I64(number) => u64::try_from(*number).ok(),
            ValueKind::String(text) => parse_size(text.trim()),
            _ => None,
        };
        let bytes = bytes.ok_or("write a size such as \"64KiB\", \"1MiB\" or 65536 (bytes)")?;
        let bytes = usize::try_from(bytes).ok();
        bytes.filter(|bytes| range.contains(bytes)).ok_or_else(|| {
            format!(
                "it must be from {} to {}",
                format_size(*range.start()),
                format_size(*range.end())
            )
        })
    }
}

fn duration_hint() -> Hint {
    "write a duration with a unit, such as \"500ms\", \"30s\", \"10m\" or \"6h\"".to_owned()
}

fn missing_unit_hint(number: i64) -> Hint {
    format!(
        "a duration needs a unit; write \"{number}s\" for seconds or \"{number}ms\" for milliseconds"
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

fn format_size(bytes: usize) -> String {
    let bytes = bytes as u64;
    let unit = UNITS[..4]
        .iter()
        .rev()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    unit.map_or_else(
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
    fn a_size_is_a_number_with_an_optional_unit() {
        for (text, bytes) in [
            ("64KiB", 65_536),
            ("64 KiB", 65_536),
            ("1MiB", 1 << 20),
            ("1MB", 1_000_000),
            ("512", 512),
            ("512B", 512),
        ] {
            assert_eq!(read(text, size(0..=usize::MAX)), Ok(bytes), "{text}");
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
            assert!(read(text, size(0..=usize::MAX)).is_err(), "{text}");
        }
    }

    #[test]
    fn size_bounds_are_inclusive() {
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
    fn a_duration_needs_a_unit() {
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
                "a duration needs a unit; write \"300s\" for seconds or \"300ms\" for milliseconds"
                    .to_owned()
            )
        );
        assert!(read("soon", any()).is_err());
        assert!(read("-5s", any()).is_err());
    }
}
