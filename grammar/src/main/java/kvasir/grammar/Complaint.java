package kvasir.grammar;

import static kvasir.grammar.KVSParser.*;

import java.util.Optional;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.RuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.TokenStream;
import org.antlr.v4.runtime.misc.IntervalSet;

/** Says in the words of the language why a token cannot stand where it stands. */
final class Complaint {
    private final SourceFile source;

    Complaint(SourceFile source) {
        this.source = source;
    }

    /** What is wrong with {@code found}, at which {@code parser} has stopped. */
    Diagnostic about(KVSParser parser, Token found) {
        TokenStream tokens = parser.getTokenStream();
        int index = found.getTokenIndex();
        Optional<Token> before = index > 0 ? Optional.of(tokens.get(index - 1)) : Optional.empty();
        Token first = statementStart(parser.getContext(), found);
        if (parser.getContext() instanceof StatementContext statement
                && statement.getChildCount() > 0
                && statement.getChild(0) instanceof StrayContext) {
            return stray(source, first);
        }
        Token second = tokens.get(Math.min(first.getTokenIndex() + 1, tokens.size() - 1));
        return misspelt(source, first, second)
                .or(() -> outOfPlace(found, first, tokens, parser.getExpectedTokens()))
                .or(() -> unfit(found, before.map(Token::getType).orElse(Token.EOF), parser.getExpectedTokens()))
                .orElseGet(() -> expected(parser, found, before));
    }

    /** The token that begins the innermost statement, line or task around {@code context}. */
    private static Token statementStart(RuleContext context, Token otherwise) {
        for (RuleContext at = context; at != null; at = at.parent) {
            if (at instanceof StatementContext statement) {
                return statement.getStart();
            }
            if (at instanceof LineContext || at instanceof TaskContext || at instanceof AssemblyLineContext) {
                return otherwise;
            }
        }
        return otherwise;
    }

    /** A statement that begins with an unknown word much like a reserved one, with {@code next} behind it. */
    static Optional<Diagnostic> misspelt(SourceFile source, Token first, Token next) {
        if (first.getType() != NAME || next.getType() == DOT || next.getType() == CALL_OPEN) {
            return Optional.empty();
        }
        return Spelling.nearest(first.getText(), Reserved.statements())
                .map(word -> Diagnostic.of(
                                "E0204",
                                source.span(first.getStartIndex(), first.getStopIndex() + 1),
                                "no statement begins with `" + first.getText() + "`",
                                "unknown word")
                        .help("did you mean `" + word + "`?"));
    }

    /** A token that cannot begin a statement. */
    static Diagnostic stray(SourceFile source, Token token) {
        Span span = source.span(token.getStartIndex(), token.getStopIndex() + 1);
        return switch (token.getType()) {
            case ARROW, ROW ->
                Diagnostic.of(
                                "E0206",
                                span,
                                "`" + token.getText() + "` is out of place",
                                "no operation stands before it")
                        .help("an outcome follows an operation: td.finalize -> EINVAL");
            case ELSE, ELSE_IF ->
                Diagnostic.of("E0206", span, "`else` is out of place", "no `if` stands before it")
                        .help("write `" + Reserved.IF.form() + "`");
            case ALWAYS, NEVER, SOMETIMES, EXPLORE ->
                Diagnostic.of("E0206", span, "`" + token.getText() + "` is out of place", "no `race` stands before it")
                        .help("it follows the braces of a race");
            case KEY ->
                Diagnostic.of(
                        "E0201",
                        span,
                        "a label is out of place",
                        "only the tasks of a race and the fields of a record have one");
            default ->
                Diagnostic.of(
                        "E0201",
                        span,
                        "no statement begins with " + Wording.quote(token.getText()),
                        "not expected here");
        };
    }

    /** A sign that would be right elsewhere in the statement that begins with {@code first}. */
    private Optional<Diagnostic> outOfPlace(Token found, Token first, TokenStream tokens, IntervalSet expected) {
        int type = found.getType();
        Span span = span(found);
        boolean endExpected = expected.contains(NL);
        if (type == ARROW) {
            return Optional.of(Diagnostic.of("E0206", span, "`->` is out of place", "no operation stands before it")
                    .help("an outcome follows an operation: td.finalize -> EINVAL"));
        }
        if (type == ELSE || type == ELSE_IF) {
            return Optional.of(Diagnostic.of("E0206", span, "`else` is out of place", "no `if` stands before it")
                    .help("write `" + Reserved.IF.form() + "`"));
        }
        if (endExpected && (type == ALWAYS || type == NEVER || type == SOMETIMES || type == EXPLORE)) {
            String word = found.getText();
            return Optional.of(
                    Diagnostic.of("E0206", span, "`" + word + "` is out of place", "no `race` stands before it")
                            .help("it follows the braces of a race"));
        }
        if (type == COMMA && endExpected) {
            return Optional.of(
                    Diagnostic.of("E0207", span, "arguments are separated by spaces", "a comma is not expected here")
                            .help("write `object.verb first second`, or `object.verb(first, second)`"));
        }
        if (isComparison(type) && comparesBefore(first, found, tokens)) {
            return Optional.of(
                    Diagnostic.of("E0214", span, "comparisons do not chain", "a second comparison begins here")
                            .help("write `a < b and b < c`"));
        }
        if (type == ASSIGN && (first.getType() == ASSERT || first.getType() == IF)) {
            return Optional.of(Diagnostic.of("E0201", span, "`=` does not compare", "a condition stands here")
                    .help("`==` compares"));
        }
        if (endExpected && Reserved.statements().contains(found.getText())) {
            return Optional.of(Diagnostic.of(
                            "E0205", span, "two statements on one line", "this one begins before the other has ended")
                    .help("begin a new line before `" + found.getText() + "`"));
        }
        return Optional.empty();
    }

    /** A token that resembles what is expected. */
    private Optional<Diagnostic> unfit(Token found, int previous, IntervalSet expected) {
        int type = found.getType();
        Span span = span(found);
        boolean nameOnly = expected.contains(NAME) && !expected.contains(NUMBER);
        if (type == NUMBER && previous == DOT) {
            return Optional.of(Diagnostic.of("E0106", span, "numbers are whole", "a fraction is not a number of KVS")
                    .help("write the number in a smaller unit: 1536M, not 1.5G"));
        }
        if (Layout.isWord(type) && type != NAME && nameOnly) {
            return Optional.of(Diagnostic.of(
                            "E0213", span, "`" + found.getText() + "` is a reserved word", "a name is expected here")
                    .help("choose another name"));
        }
        if (type == NUMBER && expected.contains(VERSION)) {
            return Optional.of(Diagnostic.of(
                            "E0201", span, "expected the name of a semantics, found a number", "not expected here")
                    .help("the name of a kernel version begins with v: `v6.18`"));
        }
        if (type == LBRACE && expected.contains(RECORD_OPEN)) {
            return Optional.of(Diagnostic.of("E0201", span, "expected a value, found `{`", "not the begin of a record")
                    .help("write `{ name: value, name: value }`"));
        }
        return Optional.empty();
    }

    private static boolean isComparison(int type) {
        return type >= EQ && type <= GE || type == IS || type == SHOWS;
    }

    private static boolean comparesBefore(Token first, Token found, TokenStream tokens) {
        for (int i = first.getTokenIndex(); i < found.getTokenIndex(); i++) {
            if (isComparison(tokens.get(i).getType())) {
                return true;
            }
        }
        return false;
    }

    private Diagnostic expected(KVSParser parser, Token found, Optional<Token> before) {
        String wanted = Wording.describe(parser.getExpectedTokens());
        boolean lineEnds = found.getType() == NL
                || found.getType() == Token.EOF
                || before.map(each -> line(each) < line(found)).orElse(false);
        Span span = lineEnds && before.isPresent() ? behind(before.get()) : span(found);
        String seen = lineEnds ? "the end of the line" : Wording.quote(found.getText());
        Diagnostic diagnostic = Diagnostic.of(
                "E0201",
                span,
                "expected " + wanted + ", found " + seen,
                lineEnds ? "the line ends here" : "not expected here");
        return form(parser.getContext()).map(diagnostic::help).orElse(diagnostic);
    }

    private int line(Token token) {
        return source.line(token.getStartIndex());
    }

    /** How the construct that is being read is written. */
    private static Optional<String> form(RuleContext context) {
        for (RuleContext at = context; at != null && !(at instanceof StatementContext); at = at.parent) {
            boolean begun = at instanceof ParserRuleContext rule && rule.getChildCount() > 0;
            Optional<String> form = begun ? form(at.getRuleIndex()) : Optional.empty();
            if (form.isPresent()) {
                return form.map(each -> "write `" + each + "`");
            }
        }
        return Optional.empty();
    }

    private static Optional<String> form(int rule) {
        return switch (rule) {
            case RULE_semantics -> Optional.of(Reserved.SEMANTICS.form());
            case RULE_vm -> Optional.of(Reserved.VM.form());
            case RULE_guest -> Optional.of(Reserved.GUEST.form());
            case RULE_let -> Optional.of(Reserved.LET.form());
            case RULE_function -> Optional.of(Reserved.FN.form());
            case RULE_returning -> Optional.of(Reserved.RETURN.form());
            case RULE_test -> Optional.of(Reserved.TEST.form());
            case RULE_setup -> Optional.of(Reserved.SETUP.form());
            case RULE_onBlock -> Optional.of(Reserved.ON.form());
            case RULE_row -> Optional.of("on name -> outcome");
            case RULE_outcome -> Optional.of("object.verb argument -> outcome");
            case RULE_assertion -> Optional.of(Reserved.ASSERT.form());
            case RULE_race -> Optional.of(Reserved.RACE.form());
            case RULE_task -> Optional.of("label: operation");
            case RULE_clause -> Optional.of(Reserved.ALWAYS.form());
            case RULE_show -> Optional.of(Reserved.SHOW.form());
            case RULE_loop -> Optional.of(Reserved.FOR.form());
            case RULE_branches -> Optional.of(Reserved.IF.form());
            case RULE_importing -> Optional.of(Reserved.IMPORT.form() + "` or `import { name } from \"file.mjs\"");
            case RULE_line -> Optional.of("verb argument argument");
            case RULE_assemblyLine -> Optional.of("mnemonic operand, operand");
            case RULE_memory -> Optional.of("[base + index*scale + displacement]");
            case RULE_suffix -> Optional.of("object.property`, `object[key]` or `function(argument, name: argument)");
            case RULE_primary -> Optional.of("[value, value]` or `{ name: value, name: value }");
            default -> Optional.empty();
        };
    }

    private Span span(Token token) {
        return source.span(token.getStartIndex(), Math.max(token.getStartIndex(), token.getStopIndex() + 1));
    }

    private Span behind(Token token) {
        return source.span(token.getStopIndex() + 1, token.getStopIndex() + 1);
    }
}
