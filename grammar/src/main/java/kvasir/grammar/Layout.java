package kvasir.grammar;

import static kvasir.grammar.KVSLexer.*;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.Token;

/**
 * Stands between lexer and parser. Decides which line ends mean something, balances brackets, and
 * gives a token another type where its neighbours say so. So the grammar can decide on one token, and an unclosed
 * bracket does not take the rest of the file with it.
 */
final class Layout {
    /** Deeper brackets are refused, so that no walk over a tree can exhaust the stack. */
    static final int DEEPEST = 100;

    private static final Set<Integer> CLAUSES = Set.of(ALWAYS, NEVER, SOMETIMES, EXPLORE);

    /** A line that begins with one of these begins a statement, whatever bracket is open. */
    private static final Set<Integer> STARTERS = Set.of(
            SEMANTICS, VM, GUEST, LET, FN, RETURN, TEST, SETUP, ASSERT, RACE, SHOW, FOR, IF, IMPORT, ALWAYS, NEVER,
            SOMETIMES);

    /** A line that ends with one of these goes on in the next. */
    private static final Set<Integer> CONTINUES = Set.of(
            COMMA, ASSIGN, ARROW, DOTDOT, EQ, NE, LT, LE, GT, GE, SHL, SHR, PIPE, CARET, AMP, PLUS, MINUS, STAR, SLASH,
            PERCENT, TILDE, AND, OR, NOT, IS, SHOWS, COLON);

    /** A line that begins with one of these goes on from the one before. */
    private static final Set<Integer> LEADS = Set.of(ARROW, AND, OR, ELSE, ROW);

    private enum Bracket {
        ROUND(")"),
        SQUARE("]"),
        RECORD("}"),
        NAMES("}"),
        DECLARATION("}"),
        BLOCK("}"),
        ASSEMBLY("}");

        private final String closer;

        Bracket(String closer) {
            this.closer = closer;
        }

        boolean isBrace() {
            return closer.equals("}");
        }

        /** Whether line ends in it mean nothing. */
        boolean joinsLines() {
            return this == ROUND || this == SQUARE || this == NAMES;
        }
    }

    /** @param statement type of the token that began the statement the bracket stands in */
    private record Open(Token token, Bracket bracket, int statement) {}

    private final Problems problems;
    private final SourceFile source;
    private final List<CommonToken> raw = new ArrayList<>();
    private final List<Token> tokens = new ArrayList<>();
    private final List<Token> comments = new ArrayList<>();
    private final Deque<Open> stack = new ArrayDeque<>();
    /** Opening braces that their like-indented closing brace did not close; the first is the likely culprit. */
    private final List<Token> suspects = new ArrayList<>();

    private Optional<Token> pendingLineEnd = Optional.empty();
    private int statement = Token.EOF;
    private boolean incomplete;

    private Layout(Problems problems) {
        this.problems = problems;
        this.source = problems.source();
    }

    /** Reads the whole of the source of {@code problems}. */
    static Layout of(Problems problems) {
        Layout layout = new Layout(problems);
        layout.read();
        return layout;
    }

    /** All tokens of the text as the lexer sees them, comments and line ends among them. */
    static List<CommonToken> raw(SourceFile source) {
        KVSLexer lexer = new KVSLexer(new Utf16Stream(source));
        lexer.removeErrorListeners();
        List<CommonToken> all = new ArrayList<>();
        for (Token token = lexer.nextToken(); token.getType() != Token.EOF; token = lexer.nextToken()) {
            all.add((CommonToken) token);
        }
        return all;
    }

    /** For the parser; ends with EOF. */
    List<Token> tokens() {
        return tokens;
    }

    /** In source order. */
    List<Token> comments() {
        return comments;
    }

    /** Whether the text ends where more must come: within brackets, a block of text, or behind an operator. */
    boolean incomplete() {
        return incomplete;
    }

    private void read() {
        if (TokenFaults.isBinary(problems)) {
            end();
            return;
        }
        raw.addAll(raw(source));
        TokenFaults faults = new TokenFaults(problems, raw);
        for (int i = 0; i < raw.size() && stack.size() <= DEEPEST; i++) {
            CommonToken token = raw.get(i);
            incomplete |= token.getType() == UNCLOSED_BLOCK;
            switch (faults.use(i)) {
                case STRUCTURE -> i += structure(token, i);
                case COMMENT -> comments.add(token);
                case LINE_END -> lineEnd(token);
                case NOTHING -> {}
            }
        }
        if (stack.size() > DEEPEST) {
            tooDeep(stack.element().token());
        }
        incomplete |= !stack.isEmpty() || (problems.isEmpty() && endsInOperator());
        closeAtEnd();
        end();
    }

    private void tooDeep(Token token) {
        problems.add(Diagnostic.of(
                        "E0208", span(token), "brackets are nested too deep", "more than " + DEEPEST + " are open here")
                .help("name the inner parts with `let`"));
        tokens.clear();
        stack.clear();
    }

    private void lineEnd(Token token) {
        if (pendingLineEnd.isEmpty()) {
            pendingLineEnd = Optional.of(token);
        }
    }

    /** Adds {@code token}; returns how many of the raw tokens behind it are used up too. */
    private int structure(CommonToken token, int index) {
        retype(token, index);
        settleLineEnd(token, index);
        if (atLineStart()) {
            statement = token.getType();
        }
        switch (token.getType()) {
            case LPAREN, CALL_OPEN -> open(token, Bracket.ROUND);
            case LBRACK, INDEX_OPEN -> open(token, Bracket.SQUARE);
            case RECORD_OPEN -> open(token, Bracket.RECORD);
            case ASM_OPEN -> open(token, Bracket.ASSEMBLY);
            case LBRACE -> open(token, brace());
            case RPAREN -> close(token, Bracket.ROUND);
            case RBRACK -> close(token, Bracket.SQUARE);
            case RBRACE -> closeBrace(token);
            case COLON -> {
                tokens.add(token);
                if (inAssembly() && isLabel()) {
                    tokens.add(synthetic(NL));
                }
            }
            case ELSE_IF -> {
                tokens.add(token);
                return nextSignificant(index) - index;
            }
            default -> tokens.add(token);
        }
        return 0;
    }

    private void retype(CommonToken token, int index) {
        int type = token.getType();
        if (inAssembly()) {
            return;
        }
        boolean afterDot = lastType() == DOT;
        if ((type == VM || type == GUEST) && !declares(index)) {
            token.setType(NAME);
        }
        if (isWord(type) && !afterDot && peek(index, 1) == COLON) {
            token.setType(KEY);
        } else if (type == STRING
                && !stack.isEmpty()
                && stack.peek().bracket() == Bracket.RECORD
                && peek(index, 1) == COLON) {
            token.setType(KEY);
        } else if (type == ON && !afterDot && isRow(index)) {
            token.setType(ROW);
        } else if (type == ELSE && !afterDot && peek(index, 1) == IF) {
            token.setType(ELSE_IF);
        } else if (type == LPAREN && adjoins(token)) {
            token.setType(CALL_OPEN);
        } else if (type == LBRACK && adjoins(token)) {
            token.setType(INDEX_OPEN);
        } else if (type == LBRACE && isRecord(index)) {
            token.setType(RECORD_OPEN);
        }
    }

    /**
     * Whether the `vm` or `guest` at {@code index} begins a declaration. Elsewhere it is a name like any other, since
     * many scripts have one machine and call it so.
     */
    private boolean declares(int index) {
        int next = peek(index, 1);
        if (pendingLineEnd.isPresent()
                && !stack.isEmpty()
                && stack.peek().bracket().joinsLines()) {
            return isWord(next) && peek(index, 2) == ASSIGN;
        }
        boolean lineStart = atLineStart() || pendingLineEnd.isPresent() && !endsInOperator();
        return lineStart && next != DOT && next != LBRACK && next != LPAREN && next != IS && next != SHOWS;
    }

    /** Whether an opening bracket belongs to the operand right before it. */
    private boolean adjoins(Token token) {
        if (tokens.isEmpty() || tokens.getLast().getStopIndex() + 1 != token.getStartIndex()) {
            return false;
        }
        int last = lastType();
        boolean member = tokens.size() > 1 && tokens.get(tokens.size() - 2).getType() == DOT;
        return last == NAME || last == RPAREN || last == RBRACK || (isWord(last) && member);
    }

    private boolean isRecord(int index) {
        int next = nextSignificant(index);
        if (next >= raw.size()) {
            return false;
        }
        int last = lastType();
        boolean value = last == ASSIGN || last == COMMA || last == LPAREN || last == CALL_OPEN || last == LBRACK;
        boolean field = last == COLON && !stack.isEmpty() && stack.peek().bracket() != Bracket.BLOCK;
        if (raw.get(next).getType() == RBRACE) {
            return value || field;
        }
        boolean key = isWord(raw.get(next).getType()) || raw.get(next).getType() == STRING;
        boolean raceBody = statement == RACE && last == STRING;
        return key && !raceBody && peek(next, 1) == COLON;
    }

    /** Whether the `on` at {@code index} is followed by names and an arrow. */
    private boolean isRow(int index) {
        for (int i = index + 1; i < raw.size(); i++) {
            int type = raw.get(i).getType();
            boolean wrapped = type == NL && raw.get(i - 1).getType() == COMMA;
            if (type == ARROW) {
                return i > index + 1;
            }
            if (!wrapped && type != NAME && type != VERSION && type != MINUS && type != NUMBER && type != COMMA) {
                return false;
            }
        }
        return false;
    }

    private Bracket brace() {
        if (lastType() == EXPLORE || statement == VM || statement == SEMANTICS) {
            return Bracket.DECLARATION;
        }
        return statement == IMPORT ? Bracket.NAMES : Bracket.BLOCK;
    }

    /** Keeps or drops the line end before {@code token}. */
    private void settleLineEnd(CommonToken token, int index) {
        if (pendingLineEnd.isEmpty()) {
            return;
        }
        Token end = pendingLineEnd.get();
        pendingLineEnd = Optional.empty();
        int type = token.getType();
        boolean starter = !inAssembly() && STARTERS.contains(type) && peek(index, 1) != COLON && peek(index, 1) != DOT;
        while (!stack.isEmpty() && stack.peek().bracket().joinsLines() && (starter || inAssembly())) {
            unclosed();
        }
        if (tokens.isEmpty() || (!stack.isEmpty() && stack.peek().bracket().joinsLines())) {
            return;
        }
        int last = lastType();
        Bracket around = stack.isEmpty() ? Bracket.BLOCK : stack.peek().bracket();
        boolean opened = !stack.isEmpty() && stack.peek().token() == tokens.getLast();
        boolean continued = around != Bracket.ASSEMBLY && !starter && endsInOperator();
        boolean leads = LEADS.contains(type)
                || type == ELSE_IF
                || (CLAUSES.contains(type) && around != Bracket.DECLARATION && peek(index, 1) != DOT);
        if (last != NL && !opened && !continued && !leads && type != RBRACE) {
            tokens.add(end);
        }
    }

    private boolean endsInOperator() {
        return CONTINUES.contains(lastType()) && !isMemberWord();
    }

    /** Whether the last token is a reserved word in the place of a name. */
    private boolean isMemberWord() {
        return tokens.size() > 1
                && isWord(lastType())
                && tokens.get(tokens.size() - 2).getType() == DOT;
    }

    private boolean atLineStart() {
        int last = lastType();
        return last == Token.EOF || last == NL || last == LBRACE;
    }

    private void open(Token token, Bracket bracket) {
        tokens.add(token);
        stack.push(new Open(token, bracket, statement));
    }

    private void close(Token token, Bracket bracket) {
        for (Open open : stack) {
            if (open.bracket() == bracket) {
                while (stack.element().bracket() != bracket) {
                    unclosed();
                }
                stack.pop();
                tokens.add(token);
                return;
            }
            if (open.bracket().isBrace()) {
                break;
            }
        }
        closesNothing(token);
    }

    private void closeBrace(Token token) {
        while (!stack.isEmpty() && !stack.element().bracket().isBrace()) {
            unclosed();
        }
        if (stack.isEmpty()) {
            closesNothing(token);
            return;
        }
        Open open = stack.pop();
        endLineBeforeClosing(open);
        tokens.add(token);
        statement = open.statement();
        int opened = source.line(open.token().getStartIndex());
        int closed = source.line(token.getStartIndex());
        if (opened != closed && indentation(closed) < indentation(opened)) {
            suspects.add(open.token());
        }
    }

    private void endLineBeforeClosing(Open open) {
        boolean lines = open.bracket() != Bracket.RECORD && open.bracket() != Bracket.NAMES;
        if (lines && lastType() != NL && tokens.getLast() != open.token()) {
            tokens.add(synthetic(NL));
        }
    }

    private void closesNothing(Token token) {
        problems.add(Diagnostic.of(
                "E0203",
                span(token),
                "`" + token.getText() + "` closes nothing",
                "no `" + opener(token.getText()) + "` is open here"));
    }

    private static String opener(String closer) {
        return switch (closer) {
            case ")" -> "(";
            case "]" -> "[";
            default -> "{";
        };
    }

    /** Reports the innermost bracket and closes it here. */
    private void unclosed() {
        reportUnclosed(stack.element().token());
        closeInnermost();
    }

    private void reportUnclosed(Token opener) {
        int at = opener.getStopIndex();
        String sign = source.text().substring(at, at + 1);
        problems.add(Diagnostic.of(
                "E0202", source.span(at, at + 1), "`" + sign + "` is never closed", "its counterpart is missing"));
    }

    private void closeInnermost() {
        Open open = stack.pop();
        if (open.bracket().isBrace()) {
            endLineBeforeClosing(open);
            statement = open.statement();
        }
        tokens.add(synthetic(
                open.bracket() == Bracket.ROUND ? RPAREN : open.bracket() == Bracket.SQUARE ? RBRACK : RBRACE));
    }

    private void closeAtEnd() {
        if (!stack.isEmpty()) {
            boolean brace = stack.element().bracket().isBrace();
            reportUnclosed(
                    brace && !suspects.isEmpty()
                            ? suspects.getFirst()
                            : stack.element().token());
        }
        while (!stack.isEmpty()) {
            closeInnermost();
        }
    }

    private void end() {
        int length = source.text().length();
        CommonToken eof = new CommonToken(Token.EOF, "");
        eof.setStartIndex(length);
        eof.setStopIndex(length - 1);
        if (!tokens.isEmpty() && lastType() != NL) {
            CommonToken last = new CommonToken(NL, "");
            last.setStartIndex(length);
            last.setStopIndex(length - 1);
            tokens.add(last);
        }
        tokens.add(eof);
        for (int i = 0; i < tokens.size(); i++) {
            ((CommonToken) tokens.get(i)).setTokenIndex(i);
        }
    }

    private int indentation(int line) {
        String text = source.lineText(line);
        return text.length() - text.stripLeading().length();
    }

    /** A token without text behind the last one. */
    private CommonToken synthetic(int type) {
        int at = tokens.isEmpty() ? 0 : tokens.getLast().getStopIndex() + 1;
        CommonToken token = new CommonToken(type, "");
        token.setStartIndex(at);
        token.setStopIndex(at - 1);
        return token;
    }

    private Span span(Token token) {
        return source.span(token.getStartIndex(), token.getStopIndex() + 1);
    }

    private int lastType() {
        return tokens.isEmpty() ? Token.EOF : tokens.getLast().getType();
    }

    private boolean inAssembly() {
        for (Open open : stack) {
            if (open.bracket().isBrace()) {
                return open.bracket() == Bracket.ASSEMBLY;
            }
        }
        return false;
    }

    /** Whether the tokens end with a name that begins its line and a colon. */
    private boolean isLabel() {
        int size = tokens.size();
        if (size < 3 || tokens.get(size - 2).getType() != NAME) {
            return false;
        }
        int before = tokens.get(size - 3).getType();
        return before == NL || before == ASM_OPEN;
    }

    /** Index of the next raw token that is neither line end nor comment. */
    private int nextSignificant(int index) {
        int next = index + 1;
        while (next < raw.size()
                && (raw.get(next).getType() == NL || raw.get(next).getType() == COMMENT)) {
            next++;
        }
        return next;
    }

    /** Type of the raw token {@code distance} behind {@code index}, or EOF. */
    private int peek(int index, int distance) {
        return index + distance < raw.size() ? raw.get(index + distance).getType() : Token.EOF;
    }

    /** Whether a token of this type is a name or a reserved word. */
    static boolean isWord(int type) {
        return type == NAME || (type >= SEMANTICS && type <= FALSE);
    }
}
