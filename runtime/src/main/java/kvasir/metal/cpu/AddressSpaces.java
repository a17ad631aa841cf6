package kvasir.metal.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What the TLB holds of the address space in force and of a few that were left and may come back: a MOV to CR3 with bit
 * 63 set keeps what is cached under the PCID (Intel SDM volume 3, "Process-context identifiers"). A processor may forget
 * more than it must, and this one does: two roots never share what is cached, not even global pages.
 */
final class AddressSpaces {
    /** Beside the one in force; Linux uses six PCIDs in turn. */
    private static final int MOST_LEFT = 7;

    private static final long PCID = 0xfff;

    private AddressSpace current = new AddressSpace();

    /** The last to be left comes last. */
    private final List<AddressSpace> left = new ArrayList<>();

    /** Empty ones. */
    private final List<AddressSpace> spare = new ArrayList<>();

    AddressSpace current() {
        return current;
    }

    /** The one in force, and those that were left. */
    void forEach(Consumer<AddressSpace> action) {
        action.accept(current);
        left.forEach(action);
    }

    /** Forgets everything. */
    void flush() {
        current.flush();
        while (!left.isEmpty()) {
            drop(left.size() - 1);
        }
    }

    /** Forgets what is cached under {@code pcid}, but for the one in force. */
    void flushLeft(long pcid) {
        for (int i = left.size() - 1; i >= 0; i--) {
            if (((left.get(i).cr3 ^ pcid) & PCID) == 0) {
                drop(i);
            }
        }
    }

    /** Forgets one page of those that were left. */
    void flushPageLeft(long linear) {
        for (AddressSpace space : left) {
            if (space.flushPage(linear)) {
                space.stamp = AddressSpace.NO_STAMP;
            }
        }
    }

    private void drop(int index) {
        AddressSpace space = left.remove(index);
        space.flush();
        spare.add(space);
    }

    /**
     * CR3 goes from {@code before} to {@code after}, while PCIDs are enabled.
     *
     * @param keep whether what is cached under the PCID of {@code after} stays
     */
    void load(long before, long after, boolean keep) {
        current.cr3 = before;
        left.add(current);
        if (!keep) {
            flushLeft(after);
        }
        current = take(after);
        if (left.size() > MOST_LEFT) {
            drop(0);
        }
    }

    private AddressSpace take(long cr3) {
        for (int i = 0; i < left.size(); i++) {
            if (left.get(i).cr3 == cr3) {
                return left.remove(i);
            }
        }
        AddressSpace fresh = spare.isEmpty() ? new AddressSpace() : spare.removeLast();
        fresh.stamp = AddressSpace.NO_STAMP;
        return fresh;
    }
}
