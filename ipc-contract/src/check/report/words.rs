//! Commands as they are typed into a shell.

use super::super::Channel;

/// A word that a shell reads as this one.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The command that plays one case alone. `program` is how the checker was called.
pub fn alone(program: &str, name: &str, channel: Channel, command: &[String]) -> String {
    let command: Vec<_> = command.iter().map(|word| quoted(word)).collect();
    format!("{program} --channel {} {name} -- {}", channel.name(), command.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for (word, typed) in
            [("python3", "python3"), ("a b", "'a b'"), ("", "''"), ("it's", r"'it'\''s'"), ("$HOME", "'$HOME'")]
        {
            assert_eq!(quoted(word), typed);
        }
    }
}
