package kvasir.grammar;

import org.antlr.v4.runtime.ANTLRErrorStrategy;
import org.antlr.v4.runtime.BailErrorStrategy;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ListTokenSource;
import org.antlr.v4.runtime.atn.PredictionMode;
import org.antlr.v4.runtime.misc.ParseCancellationException;

/** Reads KVS. */
public final class Kvs {
    private Kvs() {}

    /** The tree of {@code source} and all errors in it. Whatever the text, nothing is thrown. */
    public static Parsed parse(SourceFile source) {
        Problems problems = new Problems(source);
        Layout layout = Layout.of(problems);
        Script script = new TreeBuilder(problems).script(parseTree(layout, problems));
        return new Parsed(script, problems.inSourceOrder());
    }

    /**
     * Whether the REPL should ask for another line: {@code text} ends within brackets or a block of text, or behind
     * an operator.
     */
    public static boolean isIncomplete(String text) {
        return Layout.of(new Problems(new SourceFile("", text))).incomplete();
    }

    /** Well-formed text takes the cheap first stage only; anything else is read again to find out all that is wrong. */
    private static KVSParser.ScriptContext parseTree(Layout layout, Problems problems) {
        KVSParser parser = parser(layout, PredictionMode.SLL, new BailErrorStrategy());
        try {
            return parser.script();
        } catch (ParseCancellationException e) {
            return parser(layout, PredictionMode.LL, new Recovery(problems)).script();
        }
    }

    private static KVSParser parser(Layout layout, PredictionMode mode, ANTLRErrorStrategy strategy) {
        CommonTokenStream tokens = new CommonTokenStream(new ListTokenSource(layout.tokens()));
        // All at once: messages look at the tokens around an error.
        tokens.fill();
        KVSParser parser = new KVSParser(tokens);
        parser.removeErrorListeners();
        parser.getInterpreter().setPredictionMode(mode);
        parser.setErrorHandler(strategy);
        return parser;
    }
}
