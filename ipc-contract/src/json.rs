//! What JSON text can say and MessagePack cannot carry. Looks at text only; reading it is left to the library.

use crate::error::ContractError;

/// Refuses whole numbers beyond 64 bits, which reading would change into the nearest floating-point number without a word.
/// Text that is no JSON is not judged here.
///
/// # Errors
/// `Value`, with the number.
pub fn check_integers(json: &[u8]) -> Result<(), ContractError> {
    let mut rest = json;
    while let Some(&byte) = rest.first() {
        rest = match byte {
            b'"' => behind_text(&rest[1..]),
            b'-' | b'0'..=b'9' => {
                let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let (number, behind) = rest.split_at(rest.iter().take_while(|byte| is_of_number(byte)).count());
                check(number)?;
                behind
            }
            _ => &rest[1..],
        };
    }
    Ok(())
}

fn behind_text(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [b'\\', _, behind @ ..] => rest = behind,
            [b'"', behind @ ..] => return behind,
            [_, behind @ ..] => rest = behind,
            [] => return rest,
        }
    }
}

fn check(number: &[u8]) -> Result<(), ContractError> {
    let text = std::str::from_utf8(number).unwrap_or_default();
    let is_whole = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    if !is_whole || text.len() < 2 || text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
        return Ok(());
    }
    let detail = format!("the number {text} does not fit into 64 bits and would be changed; send it as text");
    Err(ContractError::value("args", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_carried_exactly_or_refused() {
        let table = [
            ("{}", true),
            (r#"{"n": 18446744073709551615, "m": -9223372036854775808}"#, true),
            (r#"{"n": 18446744073709551616}"#, false),
            (r#"[1, [2, -9223372036854775809]]"#, false),
            (r#"{"text": "99999999999999999999999", "quote": "\" 99999999999999999999999 \\"}"#, true),
            (r#"{"99999999999999999999999": 1}"#, true),
            (r#"["\\", 99999999999999999999999]"#, false),
            ("1e400", true),
            ("99999999999999999999999.5", true),
            ("\"unfinished", true),
            ("\"\\", true),
            ("-", true),
        ];
        for (json, good) in table {
            assert_eq!(check_integers(json.as_bytes()).is_ok(), good, "{json}");
        }
    }
}
