package kvasir.grammar;

import static kvasir.grammar.KVSLexer.*;

import java.util.List;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.Token;

/** Finds what is wrong with single tokens, whatever stands around them. */
final class TokenFaults {
    /** What a token is good for. */
    enum Use {
        STRUCTURE,
        COMMENT,
        LINE_END,
        NOTHING
    }

    private final Problems problems;
    private final SourceFile source;
    private final List<CommonToken> raw;

    /** @param raw all tokens of the source, as the lexer sees them */
    TokenFaults(Problems problems, List<CommonToken> raw) {
        this.problems = problems;
        this.source = problems.source();
        this.raw = raw;
    }

    /** Whether the source of {@code problems} is no text at all, which is reported. */
    static boolean isBinary(Problems problems) {
        SourceFile source = problems.source();
        String text = source.text();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' && "\t\n\r\f".indexOf(c) < 0) {
                problems.add(Diagnostic.of(
                        "E0111",
                        source.span(i, i + 1),
                        source.name() + " is not a text file",
                        "control character 0x%02x".formatted((int) c)));
                return true;
            }
        }
        return false;
    }

    /** What the token at {@code index} is good for. Reports what is wrong with it, and gives it the type that was meant. */
    Use use(int index) {
        CommonToken token = raw.get(index);
        switch (token.getType()) {
            case COMMENT -> {
                return Use.COMMENT;
            }
            case NL -> {
                return Use.LINE_END;
            }
            case FOREIGN_COMMENT -> {
                if (token.getStartIndex() == 0 && token.getText().startsWith("#!")) {
                    return Use.COMMENT;
                }
                foreign(token, "a comment begins with `//`");
                return Use.NOTHING;
            }
            case UNKNOWN -> {
                unknown(token, index);
                return Use.NOTHING;
            }
            case UNCLOSED_STRING -> {
                problems.add(
                        Diagnostic.of("E0102", span(token), "string is never closed", "no closing quote on this line")
                                .help("longer texts stand between \"\"\" and \"\"\""));
                token.setType(STRING);
            }
            case UNCLOSED_BLOCK -> {
                problems.add(Diagnostic.of(
                        "E0103",
                        source.span(token.getStartIndex(), token.getStartIndex() + 3),
                        "block of text is never closed",
                        "no closing \"\"\" follows"));
                token.setType(BLOCK);
            }
            case FOREIGN_STRING -> {
                foreign(token, "a string stands in double quotes");
                token.setType(STRING);
            }
            case FOREIGN -> {
                return foreignSign(token);
            }
            default -> {}
        }
        return Use.STRUCTURE;
    }

    private void unknown(Token token, int index) {
        if (index > 0
                && raw.get(index - 1).getType() == UNKNOWN
                && raw.get(index - 1).getStopIndex() + 1 == token.getStartIndex()) {
            return;
        }
        int end = index;
        while (end + 1 < raw.size()
                && raw.get(end + 1).getType() == UNKNOWN
                && raw.get(end + 1).getStartIndex() == raw.get(end).getStopIndex() + 1) {
            end++;
        }
        Span span = source.span(token.getStartIndex(), raw.get(end).getStopIndex() + 1);
        int c = span.text().codePointAt(0);
        Diagnostic diagnostic = Diagnostic.of(
                "E0101",
                span,
                end == index || Character.charCount(c) == span.text().length()
                        ? "character is not part of the language"
                        : "characters are not part of the language",
                "U+%04X".formatted(c));
        problems.add(
                switch (c) {
                    case '“', '”', '„', '‘', '’' -> diagnostic.help("a string stands in plain double quotes: \"text\"");
                    case '→' -> diagnostic.help("write `->`");
                    case '–', '—', '−' -> diagnostic.help("write `-`");
                    case '…' -> diagnostic.help("a range is written `a .. b`");
                    case '\u00a0' -> diagnostic.help("this is a no-break space; type a plain one");
                    default ->
                        Character.isLetter(c)
                                ? diagnostic.help("names are written with the letters a to z, digits and `_`")
                                : diagnostic;
                });
    }

    private void foreign(Token token, String help) {
        problems.add(Diagnostic.of("E0110", span(token), "this is spelt as in another language", "not KVS")
                .help(help));
    }

    private Use foreignSign(CommonToken token) {
        switch (token.getText()) {
            case "&&" -> {
                foreign(token, "write `and`");
                token.setType(AND);
            }
            case "||" -> {
                foreign(token, "write `or`");
                token.setType(OR);
            }
            case "!" -> {
                foreign(token, "write `not`");
                token.setType(NOT);
            }
            case "===" -> {
                foreign(token, "write `==`");
                token.setType(EQ);
            }
            case "!==" -> {
                foreign(token, "write `!=`");
                token.setType(NE);
            }
            case ";" -> {
                foreign(token, "a statement ends with its line");
                token.setType(NL);
                return Use.LINE_END;
            }
            default -> {
                foreign(token, "a range is half-open and written `a .. b`");
                token.setType(DOTDOT);
            }
        }
        return Use.STRUCTURE;
    }

    private Span span(Token token) {
        return source.span(token.getStartIndex(), token.getStopIndex() + 1);
    }
}
