package kvasir.grammar;

import static kvasir.grammar.KVSParser.*;

import java.util.Optional;
import java.util.Set;
import org.antlr.v4.runtime.DefaultErrorStrategy;
import org.antlr.v4.runtime.InputMismatchException;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.misc.IntervalSet;

/** What the parser does at an error: have it told, give up the statement or line, go on with the next. */
final class Recovery extends DefaultErrorStrategy {
    /** Statements whose braces hold no statements. */
    private static final Set<String> DECLARATIONS = Set.of("vm", "semantics", "race", "import");

    private final Complaint complaint;
    private final Problems problems;
    private Optional<RecognitionException> reported = Optional.empty();

    Recovery(Problems problems) {
        this.problems = problems;
        this.complaint = new Complaint(problems.source());
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
            problems.add(complaint.about((KVSParser) recognizer, e.getOffendingToken()));
        }
    }

    @Override
    public void recover(Parser recognizer, RecognitionException e) {
        switch (recognizer.getContext().getRuleIndex()) {
            case RULE_statement -> skipHead(recognizer);
            case RULE_line, RULE_task, RULE_assemblyLine -> skip(recognizer, false);
            case RULE_script -> consumeUntil(recognizer, new IntervalSet(Token.EOF));
            default -> throw e;
        }
    }

    /** Skips the line, and of a block that opens on it only the brace: the statements in it are read. */
    private static void skipHead(Parser parser) {
        String first = parser.getContext().getStart().getText();
        String word = Spelling.nearest(first, Reserved.statements()).orElse(first);
        skip(parser, !DECLARATIONS.contains(first) && !DECLARATIONS.contains(word));
    }

    private static void skip(Parser parser, boolean enterBlock) {
        int depth = 0;
        while (true) {
            int type = parser.getInputStream().LA(1);
            if (type == Token.EOF || (type == RBRACE && depth == 0)) {
                return;
            }
            parser.consume();
            if (depth == 0 && (type == NL || (type == LBRACE && enterBlock))) {
                return;
            }
            if (type == RECORD_OPEN || type == LBRACE || type == ASM_OPEN) {
                depth++;
            } else if (type == RBRACE) {
                depth--;
            }
        }
    }
}
