//! The values of columns as the text that a CSV export has of them.

use std::fmt::{Display, Write};

use chrono::{DateTime, NaiveTime};
use half::f16;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::schema::types::ColumnDescriptor;

/// The most bytes and decimal places of a decimal: twice what other programs write.
const MAX_DECIMAL_BYTES: usize = 64;
const MAX_SCALE: i32 = 154;

/// What the values of a column mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    /// What they are.
    Plain,
    /// Whole numbers without a sign.
    Unsigned,
    /// Whole numbers with so many decimal places.
    Decimal(usize),
    /// Days since 1970.
    Date,
    /// The time of a day, with so many units in a second.
    Time(i64),
    /// Units since 1970, so many in a second, and whether they are of UTC.
    Timestamp(i64, bool),
    /// Numbers of 16 bits.
    Half,
    Uuid,
    /// Nothing that a field could be.
    Unread,
}

const MILLIS: i64 = 1_000;
const MICROS: i64 = 1_000_000;
const NANOS: i64 = 1_000_000_000;

impl Meaning {
    pub fn of(column: &ColumnDescriptor) -> Meaning {
        let decimal = |scale: i32| match scale {
            0..=MAX_SCALE => Meaning::Decimal(scale as usize),
            _ => Meaning::Unread,
        };
        let per_second = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => MILLIS,
            TimeUnit::MICROS => MICROS,
            TimeUnit::NANOS => NANOS,
        };
        match column.logical_type_ref() {
            Some(LogicalType::Decimal(kind)) => return decimal(kind.scale),
            Some(LogicalType::Date) => return Meaning::Date,
            Some(LogicalType::Time(kind)) => return Meaning::Time(per_second(&kind.unit)),
            Some(LogicalType::Timestamp(kind)) => {
                return Meaning::Timestamp(per_second(&kind.unit), kind.is_adjusted_to_u_t_c);
            }
            Some(LogicalType::Integer(kind)) if !kind.is_signed => return Meaning::Unsigned,
            Some(LogicalType::Uuid) => return Meaning::Uuid,
            Some(LogicalType::Float16) => return Meaning::Half,
            Some(_) => return Meaning::Plain,
            None => {}
        }
        match column.converted_type() {
            ConvertedType::DECIMAL => decimal(column.type_scale()),
            ConvertedType::DATE => Meaning::Date,
            ConvertedType::TIME_MILLIS => Meaning::Time(MILLIS),
            ConvertedType::TIME_MICROS => Meaning::Time(MICROS),
            ConvertedType::TIMESTAMP_MILLIS => Meaning::Timestamp(MILLIS, true),
            ConvertedType::TIMESTAMP_MICROS => Meaning::Timestamp(MICROS, true),
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => Meaning::Unsigned,
            ConvertedType::INTERVAL => Meaning::Unread,
            _ if column.physical_type() == Type::INT96 => Meaning::Timestamp(NANOS, false),
            _ => Meaning::Plain,
        }
    }
}

/// A value of a column.
pub(super) trait Value: Default {
    /// Adds it to a text. Whether it is a word and no number; `None` where nothing can be written,
    /// such as of a date in the year 300,000.
    fn write(&self, meaning: Meaning, to: &mut Vec<u8>) -> Option<bool>;
}

fn add(to: &mut Vec<u8>, value: impl Display) {
    let mut text = String::new();
    // To a string it cannot fail.
    let _ = write!(text, "{value}");
    to.extend(text.as_bytes());
}

impl Value for bool {
    fn write(&self, _: Meaning, to: &mut Vec<u8>) -> Option<bool> {
        add(to, self);
        Some(false)
    }
}

impl Value for i32 {
    fn write(&self, meaning: Meaning, to: &mut Vec<u8>) -> Option<bool> {
        match meaning {
            Meaning::Unsigned => i64::from(*self as u32).write(Meaning::Plain, to),
            _ => i64::from(*self).write(meaning, to),
        }
    }
}

impl Value for i64 {
    fn write(&self, meaning: Meaning, to: &mut Vec<u8>) -> Option<bool> {
        match meaning {
            Meaning::Unsigned => add(to, *self as u64),
            Meaning::Decimal(scale) => {
                write_decimal(*self < 0, &self.unsigned_abs().to_string(), scale, to);
            }
            Meaning::Date => {
                let midnight = DateTime::from_timestamp(self.checked_mul(86_400)?, 0)?;
                add(to, midnight.date_naive());
                return Some(true);
            }
            Meaning::Time(units) => {
                let seconds = u32::try_from(self.div_euclid(units)).ok()?;
                let nanos = self.rem_euclid(units) * (NANOS / units);
                add(to, NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos as u32)?);
                return Some(true);
            }
            Meaning::Timestamp(units, is_utc) => {
                let nanos = self.rem_euclid(units) * (NANOS / units);
                return write_moment(self.div_euclid(units), nanos, is_utc, to);
            }
            _ => add(to, self),
        }
        Some(false)
    }
}

impl Value for Int96 {
    fn write(&self, _: Meaning, to: &mut Vec<u8>) -> Option<bool> {
        /// The Julian day of 1970.
        const EPOCH: i64 = 2_440_588;
        let &[low, high, day] = self.data() else { return None };
        let nanos = (i64::from(high) << 32) | i64::from(low);
        let seconds = (i64::from(day) - EPOCH) * 86_400 + nanos.div_euclid(NANOS);
        write_moment(seconds, nanos.rem_euclid(NANOS), false, to)
    }
}

impl Value for f32 {
    fn write(&self, _: Meaning, to: &mut Vec<u8>) -> Option<bool> {
        write_real(*self, self.is_nan(), self.is_finite(), to)
    }
}

impl Value for f64 {
    fn write(&self, _: Meaning, to: &mut Vec<u8>) -> Option<bool> {
        write_real(*self, self.is_nan(), self.is_finite(), to)
    }
}

impl Value for ByteArray {
    fn write(&self, meaning: Meaning, to: &mut Vec<u8>) -> Option<bool> {
        write_bytes(self.data(), meaning, to)
    }
}

impl Value for FixedLenByteArray {
    fn write(&self, meaning: Meaning, to: &mut Vec<u8>) -> Option<bool> {
        write_bytes(self.data(), meaning, to)
    }
}

fn write_bytes(bytes: &[u8], meaning: Meaning, to: &mut Vec<u8>) -> Option<bool> {
    match meaning {
        Meaning::Decimal(scale) if bytes.len() <= MAX_DECIMAL_BYTES => {
            let is_negative = bytes.first().is_some_and(|first| first >> 7 == 1);
            write_decimal(is_negative, &digits(bytes, is_negative), scale, to);
            Some(false)
        }
        Meaning::Decimal(_) => None,
        Meaning::Half => f16::from_le_bytes(bytes.try_into().ok()?).to_f32().write(meaning, to),
        Meaning::Uuid => {
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            for (place, byte) in bytes.iter().enumerate() {
                add(to, format_args!("{}{byte:02x}", hyphen(place)));
            }
            Some(true)
        }
        _ => {
            to.extend(bytes);
            Some(true)
        }
    }
}

fn hyphen(place: usize) -> &'static str {
    if [4, 6, 8, 10].contains(&place) { "-" } else { "" }
}

/// What is no number is missing, as it is in an export.
fn write_real(
    value: impl std::fmt::Debug,
    is_missing: bool,
    is_finite: bool,
    to: &mut Vec<u8>,
) -> Option<bool> {
    if !is_missing {
        add(to, format_args!("{value:?}"));
    }
    Some(!is_missing && !is_finite)
}

fn write_moment(seconds: i64, nanos: i64, is_utc: bool, to: &mut Vec<u8>) -> Option<bool> {
    let moment = DateTime::from_timestamp(seconds, nanos as u32)?;
    add(to, format_args!("{}{}", moment.naive_utc(), if is_utc { "+00:00" } else { "" }));
    Some(true)
}

/// Adds a number of these digits, of which so many are behind the point.
fn write_decimal(is_negative: bool, digits: &str, scale: usize, to: &mut Vec<u8>) {
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, places) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if is_negative { "-" } else { "" }, if scale > 0 { "." } else { "" });
    add(to, format_args!("{sign}{whole}{point}{places}"));
}

/// The digits of the number, without its sign, whose bytes are these, the greatest first.
fn digits(bytes: &[u8], is_negative: bool) -> String {
    let mut number = bytes.to_vec();
    if is_negative {
        let mut carry = true;
        for byte in number.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(carry.into());
        }
    }
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte > 0) {
        let mut rest = 0;
        for byte in &mut number {
            let value = rest << 8 | u16::from(*byte);
            (*byte, rest) = ((value / 10) as u8, value % 10);
        }
        digits.push(char::from(b'0' + rest as u8));
    }
    digits.iter().rev().collect()
}
