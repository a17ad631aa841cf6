package kvasir.scripts.translate;

import com.oracle.truffle.api.CallTarget;
import java.util.List;
import kvasir.scripts.Machines;

/** One translated file. */
record Unit(
        FileScope scope,
        CallTarget topLevel,
        List<CallTarget> setups,
        List<Program.Test> tests,
        List<String> semantics,
        List<Machines.Custom> customs,
        boolean history) {}
