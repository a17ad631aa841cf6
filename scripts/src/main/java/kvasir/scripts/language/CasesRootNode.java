package kvasir.scripts.language;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.RootNode;
import java.nio.file.Path;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Machines;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.runner.Run;
import kvasir.scripts.translate.Program;

/** Runs all cases of a program, each in a machine of its own. */
final class CasesRootNode extends RootNode {
    private final Path file;
    private final Program program;
    private final Machines machines;

    CasesRootNode(KvsLanguage language, Path file, Program program, Machines machines) {
        super(language);
        this.file = file;
        this.program = program;
        this.machines = machines;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        return runAll();
    }

    @TruffleBoundary
    private boolean runAll() {
        var listener = new RunListener() {
            @Override
            public void finished(CaseResult result) {
                result.failure().ifPresent(failure -> {
                    throw new KvsFailure(failure, false);
                });
            }
        };
        new Run(machines, RunOptions.defaults(), listener, () -> false).program(file, program);
        return true;
    }
}
