//! Scalar functions of this program in place of the engine's: they keep the name of the function that they replace.

/// Implements the methods of `ScalarUDFImpl` that say how a function is called. They return what the wrapped function
/// returns, which is the only field of the type.
macro_rules! called_as_wrapped {
    () => {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn aliases(&self) -> &[String] {
            self.0.aliases()
        }

        fn signature(&self) -> &datafusion::logical_expr::Signature {
            self.0.signature()
        }
    };
}

pub(super) use called_as_wrapped;
