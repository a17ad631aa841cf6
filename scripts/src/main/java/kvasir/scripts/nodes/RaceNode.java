package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Statement;
import kvasir.scripts.Failure;

/** {@code race "name" { ... } explore { ... }}: the explorer will take its {@link #race()}; until then it is refused. */
public final class RaceNode extends StatementNode {
    private final Statement.Race race;

    /** @param race what to explore */
    public RaceNode(Statement.Race race) {
        super(race.span());
        this.race = race;
    }

    /** What to explore. */
    public Statement.Race race() {
        return race;
    }

    @Override
    public void execute(VirtualFrame frame) {
        throw fault(
                Failure.Kind.MACHINE,
                "E0602",
                "unsupported: race exploration",
                "this version runs one schedule only",
                Optional.empty(),
                List.of());
    }
}
