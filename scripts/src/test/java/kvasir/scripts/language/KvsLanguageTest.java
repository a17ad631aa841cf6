package kvasir.scripts.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.truffle.api.debug.Breakpoint;
import com.oracle.truffle.api.debug.Debugger;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Source;
import org.junit.jupiter.api.Test;

/** The same nodes under a polyglot engine. */
final class KvsLanguageTest {
    private static final String SCRIPT = """
            vm plain = default { vcpus 1 memory 0 .. 16M }
            test "map" {
                let size = 4M
                plain.vcpu0.map_memory 0 .. size
                assert plain.ept[0] is leaf(2M, rwx)
            }
            """;

    private static Source source(String text) throws IOException {
        return Source.newBuilder("kvs", text, "script.kvs").build();
    }

    private static Engine engine() {
        return Engine.newBuilder().option("engine.WarnInterpreterOnly", "false").build();
    }

    @Test
    void aScriptRunsUnderTheEngine() throws IOException {
        try (Context context = Context.newBuilder("kvs").engine(engine()).build()) {
            assertTrue(context.eval(source(SCRIPT)).asBoolean());
        }
    }

    @Test
    void failuresCarryTheirTextAndSyntaxErrorsAreSyntaxErrors() throws IOException {
        try (Context context = Context.newBuilder("kvs").engine(engine()).build()) {
            var failed = assertThrows(
                    PolyglotException.class, () -> context.eval(source(SCRIPT.replace("leaf(2M", "leaf(4K"))));
            assertTrue(String.valueOf(failed.getMessage())
                    .startsWith("error[E0501]: assertion failed\n --> script.kvs:5:"));
            var malformed = assertThrows(PolyglotException.class, () -> context.eval(source("let = 3\n")));
            assertTrue(malformed.isSyntaxError());
        }
    }

    @Test
    void aDebuggerStopsAtStatements() throws IOException {
        var stops = new ArrayList<String>();
        Engine engine = engine();
        Source script = source(SCRIPT);
        try (Context context = Context.newBuilder("kvs").engine(engine).build();
                var session = Debugger.find(engine).startSession(event -> {
                    stops.add(event.getSourceSection().getStartLine() + ": "
                            + event.getSourceSection().getCharacters());
                    event.prepareStepOver(1);
                })) {
            session.install(Breakpoint.newBuilder(script.getURI()).lineIs(3).build());
            assertTrue(context.eval(script).asBoolean());
        }
        assertEquals(
                List.of(
                        "3: let size = 4M",
                        "4: plain.vcpu0.map_memory 0 .. size",
                        "5: assert plain.ept[0] is leaf(2M, rwx)"),
                stops);
    }
}
