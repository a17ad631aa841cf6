package kvasir.scripts.translate;

import java.util.List;

/** The words of the language itself, for completion and help. */
public final class Vocabulary {
    private Vocabulary() {}

    /** The words that statements begin with. */
    public static List<String> statements() {
        return StatementTranslator.KEYWORDS;
    }

    /** Functions that every script has. */
    public static List<String> functions() {
        return ExpressionTranslator.BUILT_IN;
    }
}
