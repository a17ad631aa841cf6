package kvasir.grammar;

import static kvasir.grammar.KVSLexer.*;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.CommonToken;

/** What each piece of a line is, for colouring it while it is typed. Works on half a line and on nonsense too. */
public final class Lexemes {
    /** How a piece is to be shown. */
    public enum Style {
        /** A reserved word. */
        KEYWORD,
        /** A name that the caller said is built in. */
        BUILTIN,
        NAME,
        /** A name behind a dot. */
        MEMBER,
        /** {@code name:} of a record, a call, or a task. */
        LABEL,
        NUMBER,
        STRING,
        COMMENT,
        OPERATOR,
        BRACKET,
        /** Mnemonic of an instruction, prefix or directive. */
        MNEMONIC,
        /** Not part of the language, or not closed. */
        WRONG
    }

    /**
     * A piece.
     *
     * @param start offset of its first character
     * @param end offset behind its last
     */
    public record Styled(int start, int end, Style style) {}

    private Lexemes() {}

    /**
     * The pieces of {@code text} in order; blanks between them are left out.
     *
     * @param builtins names to show as {@link Style#BUILTIN} where they do not follow a dot
     */
    public static List<Styled> classify(String text, Set<String> builtins) {
        List<CommonToken> tokens = Layout.raw(new SourceFile("", text));
        List<Styled> pieces = new ArrayList<>();
        boolean assembly = false;
        boolean lineStart = true;
        int previous = NL;
        for (int i = 0; i < tokens.size(); i++) {
            CommonToken token = tokens.get(i);
            int type = token.getType();
            int next = i + 1 < tokens.size() ? tokens.get(i + 1).getType() : NL;
            if (type == ASM_OPEN) {
                assembly = true;
            } else if (type == RBRACE) {
                assembly = false;
            }
            if (type != NL) {
                Style style = style(token, previous, next, assembly, lineStart, builtins);
                pieces.add(new Styled(token.getStartIndex(), token.getStopIndex() + 1, style));
            }
            boolean label = assembly && (type == NAME && next == COLON || type == COLON && lineStart);
            lineStart = type == NL || type == ASM_OPEN || type == ASM_PREFIX || (lineStart && label);
            previous = type;
        }
        return pieces;
    }

    private static Style style(
            CommonToken token, int previous, int next, boolean assembly, boolean lineStart, Set<String> builtins) {
        return switch (token.getType()) {
            case COMMENT -> Style.COMMENT;
            case FOREIGN_COMMENT ->
                token.getStartIndex() == 0 && token.getText().startsWith("#!") ? Style.COMMENT : Style.WRONG;
            case NUMBER -> Style.NUMBER;
            case VERSION -> Style.NAME;
            case STRING, BLOCK, TAGGED -> Style.STRING;
            case UNKNOWN, UNCLOSED_STRING, UNCLOSED_BLOCK, FOREIGN, FOREIGN_STRING -> Style.WRONG;
            case LPAREN, RPAREN, LBRACK, RBRACK, LBRACE, RBRACE -> Style.BRACKET;
            case ASM_OPEN, ASM_SIZE, ASM_DISTANCE, ASM_PTR, ASM_REL, ASM_ABS -> Style.KEYWORD;
            case ASM_PREFIX, ASM_DATA, ASM_TIMES, ASM_EQU -> Style.MNEMONIC;
            case NAME -> name(token.getText(), previous, next, assembly && lineStart, builtins);
            default -> word(token.getType(), previous, next);
        };
    }

    private static Style name(String text, int previous, int next, boolean mnemonic, Set<String> builtins) {
        if (next == COLON) {
            return Style.LABEL;
        }
        if (mnemonic) {
            return Style.MNEMONIC;
        }
        if (previous == DOT) {
            return Style.MEMBER;
        }
        return builtins.contains(text) ? Style.BUILTIN : Style.NAME;
    }

    private static Style word(int type, int previous, int next) {
        if (!Layout.isWord(type)) {
            return Style.OPERATOR;
        }
        return previous == DOT ? Style.MEMBER : next == COLON ? Style.LABEL : Style.KEYWORD;
    }
}
