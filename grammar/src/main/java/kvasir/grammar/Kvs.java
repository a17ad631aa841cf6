package kvasir.grammar;

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
        KVSParser parser = new KVSParser(new CommonTokenStream(new ListTokenSource(layout.tokens())));
        parser.removeErrorListeners();
        parser.getInterpreter().setPredictionMode(PredictionMode.SLL);
        parser.setErrorHandler(new BailErrorStrategy());
        try {
            return parser.script();
        } catch (ParseCancellationException e) {
            parser.setTokenStream(new CommonTokenStream(new ListTokenSource(layout.tokens())));
            parser.getInterpreter().setPredictionMode(PredictionMode.LL);
            parser.setErrorHandler(new Recovery(problems));
            return parser.script();
        }
    }
}
