package kvasir.scripts.language;

import com.oracle.truffle.api.CallTarget;
import com.oracle.truffle.api.TruffleLanguage;
import com.oracle.truffle.api.instrumentation.ProvidedTags;
import com.oracle.truffle.api.instrumentation.StandardTags;
import com.oracle.truffle.api.source.Source;
import java.nio.file.Path;
import kvasir.scripts.KvasirMachines;
import kvasir.scripts.Machines;
import kvasir.scripts.translate.Loader;

/**
 * The language {@code kvs} of a polyglot engine. Evaluating a source runs all its cases and gives true; the first that
 * fails is thrown, with the text a person sees.
 */
@TruffleLanguage.Registration(
        id = KvsLanguage.ID,
        name = "KVS",
        defaultMimeType = "application/x-kvs",
        characterMimeTypes = "application/x-kvs")
@ProvidedTags({StandardTags.StatementTag.class, StandardTags.RootTag.class})
public final class KvsLanguage extends TruffleLanguage<KvsLanguage.Session> {
    /** What engines call it. */
    public static final String ID = "kvs";

    /** One context of the engine. */
    static final class Session {
        private final Machines machines = new KvasirMachines();

        Machines machines() {
            return machines;
        }
    }

    @Override
    protected Session createContext(Env env) {
        return new Session();
    }

    @Override
    protected CallTarget parse(ParsingRequest request) {
        Source source = request.getSource();
        Machines machines = new KvasirMachines();
        String path = source.getPath();
        Path file = Path.of(path == null ? source.getName() : path);
        var program = new Loader(machines, this, source)
                .load(file, source.getCharacters().toString());
        if (!program.diagnostics().isEmpty()) {
            throw new KvsFailure(kvasir.scripts.Failure.of(program.diagnostics().getFirst()), true);
        }
        return new CasesRootNode(this, file, program, machines).getCallTarget();
    }
}
