//! Size checks on a GraphQL document before it is parsed.

use crate::config::Limits;
use apollo_parser::{Lexer, TokenKind};

/// Nesting depth of brackets: the parser recurses for each and would overflow the stack.
const DEEPEST_BRACKETS: usize = 100;

/// Characters of a name, such as a field, variable or fragment. Error messages repeat names, and suggestions compare
/// them with all others.
const LONGEST_NAME: usize = 200;

/// The size of a document.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    tokens: usize,
    brackets: usize,
    longest_name: usize,
}

impl Size {
    /// Counts tokens; stops as soon as a limit is exceeded.
    pub fn measure(text: &str, limits: &Limits) -> Self {
        let (mut size, mut depth) = (Self { tokens: 0, brackets: 0, longest_name: 0 }, 0usize);
        for token in Lexer::new(text).flatten() {
            size.tokens += 1;
            match token.kind() {
                TokenKind::LBracket | TokenKind::LCurly | TokenKind::LParen => depth += 1,
                TokenKind::RBracket | TokenKind::RCurly | TokenKind::RParen => depth = depth.saturating_sub(1),
                TokenKind::Name => size.longest_name = size.longest_name.max(token.data().len()),
                _ => {}
            }
            size.brackets = size.brackets.max(depth);
            if size.within(limits).is_err() {
                break;
            }
        }
        size
    }

    /// Checks that the document is small enough to be parsed.
    ///
    /// # Errors
    /// Says which limit it exceeds.
    pub fn within(self, limits: &Limits) -> Result<(), String> {
        if self.tokens > limits.tokens as usize {
            return Err(format!("the document has more than {} tokens", limits.tokens));
        }
        if self.brackets > DEEPEST_BRACKETS {
            return Err(format!("the document has brackets more than {DEEPEST_BRACKETS} levels deep"));
        }
        if self.longest_name > LONGEST_NAME {
            return Err(format!("the document has a name of more than {LONGEST_NAME} characters"));
        }
        Ok(())
    }
}
