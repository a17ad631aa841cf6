package kvasir.scripts.translate;

import com.oracle.truffle.api.frame.FrameDescriptor;
import com.oracle.truffle.api.frame.FrameSlotKind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.grammar.Span;

/** The names inside one body: blocks nest, and each name has a slot of the frame. */
final class FrameScope {
    private final FrameDescriptor.Builder frame = FrameDescriptor.newBuilder();
    private final Deque<Map<String, Local>> blocks = new ArrayDeque<>();

    record Local(Span span, int slot, Type type) {}

    void push() {
        blocks.push(new HashMap<>());
    }

    void pop() {
        blocks.pop();
    }

    /** Whether names are declared in a block rather than at the top level. */
    boolean inBlock() {
        return !blocks.isEmpty();
    }

    Optional<Local> find(String name) {
        for (Map<String, Local> block : blocks) {
            Local local = block.get(name);
            if (local != null) {
                return Optional.of(local);
            }
        }
        return Optional.empty();
    }

    /** The declaration of {@code name} in the innermost block, if it is there already. */
    Optional<Local> here(String name) {
        return blocks.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(blocks.peek().get(name));
    }

    Local declare(String name, Span span, Type type) {
        Local local = new Local(span, slot(name), type);
        blocks.getFirst().put(name, local);
        return local;
    }

    /** A slot for {@code what}. */
    int slot(String what) {
        return frame.addSlot(FrameSlotKind.Object, what, null);
    }

    List<String> names() {
        var names = new ArrayList<String>();
        blocks.forEach(block -> names.addAll(block.keySet()));
        return names;
    }

    FrameDescriptor build() {
        return frame.build();
    }
}
