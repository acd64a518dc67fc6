//! Measures, shortens and wraps text.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// The widths of `' '..='~'` of the embedded font (font/NotoSans-Regular.ttf), in thousandths of its size.
const WIDTHS: [u16; 95] = [
    260, 269, 408, 646, 572, 831, 732, 225, 300, 300, 551, 572, 268, 322, 268, 372, 572, 572, 572, 572, 572, 572, 572,
    572, 572, 572, 268, 268, 572, 572, 572, 434, 899, 639, 650, 632, 730, 556, 519, 728, 741, 339, 273, 619, 524, 907,
    760, 781, 605, 781, 622, 549, 556, 731, 600, 930, 586, 566, 572, 329, 372, 329, 572, 444, 281, 561, 615, 480, 615,
    564, 344, 615, 618, 258, 258, 534, 258, 935, 618, 605, 615, 615, 413, 479, 361, 618, 508, 786, 529, 510, 470, 380,
    551, 380, 572,
];
/// Letters that no accent makes of an ASCII letter, and anything unknown.
const WIDE: u16 = 800;
/// Bold letters, and fonts of a browser, are wider than those of the table.
const BOLD: f64 = 1.07;
const MARGIN: f64 = 1.04;

/// The width of a text in px.
pub fn width(text: &str, size: f64, bold: bool) -> f64 {
    let thousandths: f64 = text.nfd().map(|letter| f64::from(letter_width(letter))).sum();
    thousandths / 1000.0 * size * MARGIN * if bold { BOLD } else { 1.0 }
}

fn letter_width(letter: char) -> u16 {
    match letter {
        ' '..='~' => WIDTHS[letter as usize - 32],
        // The horn of ơ and ư widens the letter; other combining accents do not.
        '\u{31b}' => 60,
        '\u{300}'..='\u{36f}' => 0,
        'đ' => 617,
        'Đ' => 730,
        '–' | '\u{2018}'..='\u{201d}' => 500,
        '−' | '×' | '≥' | '≤' => 572,
        '\u{a0}' | '\u{2009}' | '\u{202f}' => 260,
        _ => WIDE,
    }
}

/// The text, or its beginning and its end with … between them if it is wider than `most` px.
pub fn elide(text: &str, most: f64, size: f64, bold: bool) -> Cow<'_, str> {
    if width(text, size, bold) <= most {
        return Cow::Borrowed(text);
    }
    let letters: Vec<char> = text.nfc().collect();
    // The width grows with the number of letters: the largest number that fits is found by halving.
    let shortened = |keep: usize| -> String {
        let end = keep / 2;
        let start: String = letters[..keep - end].iter().collect();
        let rest: String = letters[letters.len() - end..].iter().collect();
        format!("{}…{}", start.trim_end(), rest.trim_start())
    };
    let (mut fits, mut too_many) = (0, letters.len());
    while too_many - fits > 1 {
        let keep = usize::midpoint(fits, too_many);
        if width(&shortened(keep), size, bold) <= most { fits = keep } else { too_many = keep }
    }
    Cow::Owned(shortened(fits))
}

/// Lines of at most `most` px. Text that does not fit into `lines` lines is left out of the middle of the last one.
pub fn wrap(text: &str, most: f64, size: f64, bold: bool, lines: usize) -> Vec<String> {
    let (mut found, mut line): (Vec<String>, String) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        let is_last = found.len() + 1 == lines;
        if is_last || line.is_empty() || width(&longer, size, bold) <= most {
            line = longer;
        } else {
            found.push(std::mem::replace(&mut line, word.to_owned()));
        }
    }
    if !line.is_empty() {
        found.push(line);
    }
    found.iter().map(|line| elide(line, most, size, bold).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_take_no_room_and_long_text_loses_its_middle() {
        assert_eq!(width("a", 10.0, false), width("ậ", 10.0, false));
        assert!(width("ư", 10.0, false) > width("u", 10.0, false));
        assert!(width("Đội", 10.0, true) > width("Đội", 10.0, false));
        let name = "Chi cục Hải quan cửa khẩu Hữu Nghị, Cục Hải quan tỉnh Lạng Sơn";
        let short = elide(name, 150.0, 12.0, false);
        assert!(short.starts_with("Chi cục") && short.ends_with("Lạng Sơn") && short.contains('…'), "{short}");
        assert!(width(&short, 12.0, false) <= 150.0);
        assert_eq!(elide("Hà Nội", 150.0, 12.0, false), "Hà Nội");
        assert_eq!(elide("", 0.0, 12.0, false), "");
        assert_eq!(elide("Hà Nội", 0.0, 12.0, false), "…");
    }

    #[test]
    fn lines_are_broken_at_spaces_and_the_last_one_is_shortened() {
        let lines = wrap("một hai ba bốn năm sáu bảy tám chín mười", 60.0, 12.0, false, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| width(line, 12.0, false) <= 60.0), "{lines:?}");
        assert!(lines[2].contains('…'), "{lines:?}");
        assert_eq!(wrap("  ", 60.0, 12.0, false, 3), Vec::<String>::new());
        assert_eq!(wrap("một", 60.0, 12.0, false, 3), ["một"]);
    }
}
