//! The guard before every decoder: one pass over the bytes, no recursion, no allocation. Knows no message.

use crate::error::{ContractError, ErrorKind};
use crate::token::Tokens;

/// Arrays and maps that may enclose one another; the outermost counts as 1.
pub const MAX_DEPTH: usize = 64;

/// Proves that `bytes` are exactly one MessagePack value within the limits, so that a decoder may allocate what it announces.
///
/// # Errors
/// `Empty`, `TooDeep`, `Truncated`, `Trailing`, `Malformed`.
pub fn scan(bytes: &[u8]) -> Result<(), ContractError> {
    scan_value(bytes).map_err(|error| error.with_head(bytes))
}

fn scan_value(bytes: &[u8]) -> Result<(), ContractError> {
    if bytes.is_empty() {
        return Err(ContractError::new(ErrorKind::Empty, "no bytes where a value must be; send at least nil"));
    }
    let mut tokens = Tokens::new(bytes);
    // Values still to be read, in all; and those missing from each open container, to know the depth.
    let mut owed = 1_u64;
    let mut missing = [0_u64; MAX_DEPTH];
    let mut depth = 0;
    while owed > 0 {
        let token = tokens.next()?;
        if token.is_container() && depth == MAX_DEPTH {
            return Err(ContractError::new(
                ErrorKind::TooDeep,
                format!("arrays and maps are nested more than {MAX_DEPTH} deep; flatten the value"),
            ));
        }
        owed = owed - 1 + token.children();
        // A value takes a byte at least: a count beyond what is left is a lie, told before anyone reserves room for it.
        if owed > tokens.left() as u64 {
            return Err(ContractError::new(
                ErrorKind::Truncated,
                "an array or map announces more values than there are bytes; send whole values",
            ));
        }
        if token.children() > 0 {
            missing[depth] = token.children();
            depth += 1;
            continue;
        }
        // The value is whole, and with it perhaps the containers around it.
        while depth > 0 {
            missing[depth - 1] -= 1;
            if missing[depth - 1] > 0 {
                break;
            }
            depth -= 1;
        }
    }
    match tokens.left() {
        0 => Ok(()),
        left => Err(ContractError::new(
            ErrorKind::Trailing,
            format!("{left} bytes follow the value; a frame carries exactly one"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL_STACK_BYTES: usize = 256 * 1024;

    fn kind_of(bytes: &[u8]) -> Option<&'static str> {
        scan(bytes).err().map(|error| error.kind.name())
    }

    fn nested(depth: usize, open: u8, inner: &[u8]) -> Vec<u8> {
        let mut bytes = vec![open; depth];
        bytes.extend_from_slice(inner);
        bytes
    }

    #[test]
    fn accepts_exactly_one_whole_value() {
        let table: &[(&[u8], Option<&str>)] = &[
            (b"", Some("empty")),
            (b"\xc0", None),
            (b"\xc0\xc0", Some("trailing")),
            (b"\x80", None),
            (b"\x81\xa1k\xc3", None),
            (b"\x81\xa1k", Some("truncated")),
            (b"\x92\x01\x92\x02\x03", None),
            (b"\x92\x91\x01\x02", None),
            (b"\x92\x91\x01", Some("truncated")),
            (b"\x93\x90\x80\x90", None),
            (b"\xcf\x00\x00\x00\x00\x00\x00\x00", Some("truncated")),
            (b"\xcf\x00\x00\x00\x00\x00\x00\x00\x01", None),
            (b"\xa2\xc3\x28", Some("malformed")),
            (b"\xc4\x02\xc3\x28", None),
            (b"\xc1", Some("malformed")),
            (b"\xd4\x01\x00", Some("malformed")),
            (b"\xc7\x01\x00\x00", Some("malformed")),
        ];
        for (bytes, expected) in table {
            assert_eq!(kind_of(bytes), *expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn depth_ends_at_the_limit() {
        assert_eq!(kind_of(&nested(MAX_DEPTH, 0x91, b"\xc0")), None);
        assert_eq!(kind_of(&nested(MAX_DEPTH + 1, 0x91, b"\xc0")), Some("too_deep"));
        assert_eq!(kind_of(&nested(MAX_DEPTH, 0x91, b"\x90")), Some("too_deep"));
        assert_eq!(kind_of(&nested(MAX_DEPTH - 1, 0x91, b"\x90")), None);
        // Siblings do not add up.
        let mut wide = vec![0xdc, 0x03, 0xe8];
        wide.extend(std::iter::repeat_n([0x91, 0xc0], 1_000).flatten());
        assert_eq!(kind_of(&wide), None);
    }

    #[test]
    fn bombs_are_refused_on_a_small_stack() {
        let bombs = || {
            let mut bombs =
                vec![(nested(100_000, 0x91, b"\xc0"), "too_deep"), (nested(100_000, 0x81, b"\xc0"), "too_deep")];
            // A lie about a count is told before what follows is looked at.
            bombs.push(([b"\xdd\xff\xff\xff\xff".as_slice(), &[0x91; 100_000]].concat(), "truncated"));
            for marker in [0xdd, 0xdf, 0xdb, 0xc6] {
                bombs.push((vec![marker, 0xff, 0xff, 0xff, 0xff, 0xc0], "truncated"));
                bombs.push((vec![0x92, 0xc0, marker, 0xff, 0xff, 0xff, 0xff, 0xc0], "truncated"));
            }
            for (bytes, expected) in bombs {
                assert_eq!(kind_of(&bytes), Some(expected));
            }
        };
        std::thread::Builder::new().stack_size(SMALL_STACK_BYTES).spawn(bombs).unwrap().join().unwrap();
    }
}
