package kvasir.vmm.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import kvasir.registry.Bytes;
import kvasir.registry.Range;

/** The HOB list that QEMU hands to TD firmware: hand-off HOB, one resource HOB for each range of memory, end (hw/i386/tdvf-hob.c). */
public final class TdHob {
    private static final int HAND_OFF = 1;
    private static final int RESOURCE = 3;
    private static final int END = 0xffff;
    private static final int HAND_OFF_BYTES = 56;
    private static final int RESOURCE_BYTES = 48;
    private static final int END_BYTES = 8;
    private static final int SYSTEM_MEMORY = 0;
    private static final int UNACCEPTED = 7;
    private static final int PRESENT_INITIALISED_TESTED = 7;
    private static final int VERSION = 9;

    private TdHob() {}

    /**
     * The list.
     *
     * @param gpa where it goes
     * @param bytes size of its memory
     * @param ram all guest memory, in ascending order
     * @param added ranges that are added before the guest runs
     */
    public static Bytes of(long gpa, int bytes, List<Range> ram, List<Range> added) {
        ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        out.position(HAND_OFF_BYTES);
        for (Range range : ram) {
            for (Piece piece : split(range, added)) {
                header(out, RESOURCE, RESOURCE_BYTES);
                out.putLong(0).putLong(0);
                out.putInt(piece.added ? SYSTEM_MEMORY : UNACCEPTED).putInt(PRESENT_INITIALISED_TESTED);
                out.putLong(piece.range.start()).putLong(piece.range.size());
            }
        }
        header(out, END, END_BYTES);
        long end = gpa + out.position();
        out.position(0);
        header(out, HAND_OFF, HAND_OFF_BYTES);
        out.putInt(VERSION).putInt(0);
        out.putLong(0).putLong(0).putLong(0).putLong(0).putLong(end);
        return Bytes.of(out.array());
    }

    /** Bytes of the list of that memory. */
    static long bytes(List<Range> ram, List<Range> added) {
        long resources =
                ram.stream().mapToLong(range -> split(range, added).size()).sum();
        return HAND_OFF_BYTES + RESOURCE_BYTES * resources + END_BYTES;
    }

    private record Piece(Range range, boolean added) {}

    private static void header(ByteBuffer out, int type, int length) {
        out.putShort((short) type).putShort((short) length).putInt(0);
    }

    private static List<Piece> split(Range range, List<Range> added) {
        var pieces = new ArrayList<Piece>();
        long at = range.start();
        for (Range one :
                added.stream().sorted(Comparator.comparingLong(Range::start)).toList()) {
            if (one.end() <= at || one.start() >= range.end()) {
                continue;
            }
            if (one.start() > at) {
                pieces.add(new Piece(new Range(at, one.start()), false));
            }
            long end = Math.min(one.end(), range.end());
            pieces.add(new Piece(new Range(Math.max(at, one.start()), end), true));
            at = end;
        }
        if (at < range.end()) {
            pieces.add(new Piece(new Range(at, range.end()), false));
        }
        return pieces;
    }
}
