package kvasir.grammar;

import static kvasir.grammar.KVSParser.*;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.misc.IntervalSet;

/** How tokens are called in messages. */
final class Wording {
    private static final int LONGEST_QUOTE = 30;

    private Wording() {}

    /** A few words for what may stand in a place. */
    static String describe(IntervalSet expected) {
        if (expected.contains(NL)) {
            return "the end of the line";
        }
        if (expected.contains(VERSION) && expected.contains(NAME) && !expected.contains(NUMBER)) {
            return "the name of a semantics";
        }
        if (expected.contains(SEMANTICS) && expected.contains(NAME)) {
            return "a name";
        }
        Set<String> words = new LinkedHashSet<>();
        if (expected.contains(NUMBER) && expected.contains(NAME)) {
            return "a value";
        }
        for (int type : expected.toList()) {
            String word = word(type);
            if (!word.isEmpty()) {
                words.add(word);
            }
        }
        List<String> few = words.stream().limit(4).toList();
        return switch (few.size()) {
            case 0 -> "something else";
            case 1 -> few.getFirst();
            default -> String.join(", ", few.subList(0, few.size() - 1)) + " or " + few.getLast();
        };
    }

    /** What is said of a token that may stand somewhere; empty if it is no help to mention it. */
    private static String word(int type) {
        return switch (type) {
            case NAME -> "a name";
            case STRING -> "a string in double quotes";
            case NUMBER -> "a number";
            case VERSION -> "a version";
            case KEY -> "a label and `:`";
            case LBRACE, RECORD_OPEN -> "`{`";
            case RBRACE -> "`}`";
            case LPAREN, CALL_OPEN -> "`(`";
            case RPAREN -> "`)`";
            case LBRACK -> "`[`";
            case RBRACK -> "`]`";
            case COMMA -> "`,`";
            case COLON -> "`:`";
            case ASSIGN -> "`=`";
            case ARROW -> "`->`";
            case ASM_OPEN -> "`asm16 {`, `asm32 {` or `asm64 {`";
            case IN -> "`in`";
            case EOF -> "the end of the file";
            default -> "";
        };
    }

    /** The text of a token between backquotes, cut if long. */
    static String quote(String text) {
        String line = text.lines().findFirst().orElse("");
        boolean cut = line.length() > LONGEST_QUOTE || line.length() < text.length();
        return "`" + (cut ? line.substring(0, Math.min(line.length(), LONGEST_QUOTE)) + "…" : line) + "`";
    }
}
