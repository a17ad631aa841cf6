package kvasir.grammar;

import static kvasir.grammar.KVSParser.*;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.antlr.v4.runtime.DefaultErrorStrategy;
import org.antlr.v4.runtime.InputMismatchException;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.RuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.misc.IntervalSet;

/**
 * What the parser does at an error: say it in the words of the language, give up the statement or line, go on with the
 * next.
 */
final class Recovery extends DefaultErrorStrategy {
    private final Problems problems;
    private final SourceFile source;
    private Optional<RecognitionException> reported = Optional.empty();

    Recovery(Problems problems) {
        this.problems = problems;
        this.source = problems.source();
    }

    @Override
    public void sync(Parser recognizer) {
        // A wrong token is noticed where it is matched, with the rule that wanted another one still known.
    }

    @Override
    public Token recoverInline(Parser recognizer) {
        throw new InputMismatchException(recognizer);
    }

    @Override
    public void reportError(Parser recognizer, RecognitionException e) {
        if (reported.filter(e::equals).isEmpty()) {
            reported = Optional.of(e);
            problems.add(describe((KVSParser) recognizer, e));
        }
    }

    @Override
    public void recover(Parser recognizer, RecognitionException e) {
        switch (recognizer.getContext().getRuleIndex()) {
            case RULE_statement, RULE_line, RULE_task, RULE_assemblyLine -> skipLine(recognizer);
            case RULE_script -> consumeUntil(recognizer, new IntervalSet(Token.EOF));
            default -> throw e;
        }
    }

    private static void skipLine(Parser parser) {
        int depth = 0;
        while (true) {
            int type = parser.getInputStream().LA(1);
            if (type == Token.EOF || (type == RBRACE && depth == 0)) {
                return;
            }
            parser.consume();
            if (type == NL && depth == 0) {
                return;
            }
            if (type == RECORD_OPEN) {
                depth++;
            } else if (type == RBRACE) {
                depth--;
            }
        }
    }

    private Diagnostic describe(KVSParser parser, RecognitionException e) {
        Token found = e.getOffendingToken();
        int index = found.getTokenIndex();
        Optional<Token> before = index > 0 ? Optional.of(parser.getTokenStream().get(index - 1)) : Optional.empty();
        Token first = statementStart(parser.getContext(), found);
        Optional<Diagnostic> misspelt =
                misspelt(source, first, parser.getTokenStream().get(first.getTokenIndex() + 1));
        if (misspelt.isPresent()) {
            return misspelt.get();
        }
        IntervalSet expected = parser.getExpectedTokens();
        int previous = before.map(Token::getType).orElse(Token.EOF);
        return special(found, previous, expected).orElseGet(() -> expectedOther(parser, found, before, expected));
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

    private Optional<Diagnostic> special(Token found, int previous, IntervalSet expected) {
        int type = found.getType();
        Span span = span(found);
        boolean endExpected = expected.contains(NL);
        boolean name = expected.contains(NAME) && !expected.contains(NUMBER);
        if (type == NUMBER && previous == DOT) {
            return Optional.of(Diagnostic.of("E0106", span, "numbers are whole", "a fraction is not a number of KVS")
                    .help("write the number in a smaller unit: 1536M, not 1.5G"));
        }
        if (Layout.isWord(type) && type != NAME && name) {
            return Optional.of(Diagnostic.of(
                            "E0213", span, "`" + found.getText() + "` is a reserved word", "a name is expected here")
                    .help("choose another name"));
        }
        if (type == ARROW) {
            return Optional.of(Diagnostic.of("E0206", span, "`->` is out of place", "no operation stands before it")
                    .help("an outcome follows an operation: td.finalize -> EINVAL"));
        }
        if (type == COMMA && endExpected) {
            return Optional.of(
                    Diagnostic.of("E0207", span, "arguments are separated by spaces", "a comma is not expected here")
                            .help("write `object.verb first second`, or `object.verb(first, second)`"));
        }
        if (type >= EQ && type <= GE && expected.contains(AND)) {
            return Optional.of(
                    Diagnostic.of("E0214", span, "comparisons do not chain", "a second comparison begins here")
                            .help("write `a < b and b < c`"));
        }
        if (type == ASSIGN && expected.contains(AND)) {
            return Optional.of(Diagnostic.of("E0201", span, "`=` does not compare", "a condition is expected here")
                    .help("`==` compares"));
        }
        if (endExpected && Reserved.statements().contains(found.getText())) {
            return Optional.of(Diagnostic.of(
                            "E0205", span, "two statements on one line", "this one begins before the other has ended")
                    .help("begin a new line before `" + found.getText() + "`"));
        }
        return Optional.empty();
    }

    private Diagnostic expectedOther(KVSParser parser, Token found, Optional<Token> before, IntervalSet expected) {
        String wanted = Wording.describe(expected);
        boolean atEnd = found.getType() == NL || found.getType() == Token.EOF;
        Span span = atEnd && before.isPresent() ? behind(before.get()) : span(found);
        String seen = atEnd ? "the end of the line" : Wording.quote(found.getText());
        Diagnostic diagnostic = Diagnostic.of(
                "E0201",
                span,
                "expected " + wanted + ", found " + seen,
                atEnd ? "the line ends here" : "not expected here");
        return form(parser.getContext()).map(diagnostic::help).orElse(diagnostic);
    }

    /** How the construct that is being read is written. */
    private static Optional<String> form(RuleContext context) {
        List<Integer> rules = new ArrayList<>();
        for (RuleContext at = context; at != null && !(at instanceof StatementContext); at = at.parent) {
            rules.add(at.getRuleIndex());
        }
        return rules.stream().flatMap(rule -> form(rule).stream()).findFirst().map(form -> "write `" + form + "`");
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
            case RULE_row -> Optional.of("on semantics -> outcome");
            case RULE_assertion -> Optional.of(Reserved.ASSERT.form());
            case RULE_race -> Optional.of(Reserved.RACE.form());
            case RULE_task -> Optional.of("label: operation");
            case RULE_show -> Optional.of(Reserved.SHOW.form());
            case RULE_loop -> Optional.of(Reserved.FOR.form());
            case RULE_branches -> Optional.of(Reserved.IF.form());
            case RULE_importing -> Optional.of(Reserved.IMPORT.form() + "` or `import { name } from \"file.mjs\"");
            case RULE_line -> Optional.of("verb argument argument");
            case RULE_memory -> Optional.of("[base + index*scale + displacement]");
            case RULE_field -> Optional.of("{ name: value, name: value }");
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
