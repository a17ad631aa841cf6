package kvasir.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Coalesced MMIO and port writes of one VM (coalesced_mmio.c): a write to a registered zone goes into a ring instead of
 * ending KVM_RUN. The ring is the third page of every vCPU's mapping: u32 first, u32 last, and 170 entries of 24 bytes, u64
 * address, u32 length, u32 pio, 8 bytes of data; one entry always stays free.
 */
public final class CoalescedMmio {
    /** KVM_COALESCED_MMIO_MAX. */
    public static final int ENTRIES = 170;

    private static final int PAGE_BYTES = 4096;
    private static final int FIRST = 0;
    private static final int LAST = 4;
    private static final int HEADER = 8;
    private static final int ENTRY_BYTES = 24;

    private final ByteBuffer ring = ByteBuffer.allocate(PAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private List<Zone> zones = List.of();

    private record Zone(long start, long bytes, boolean pio) {
        /** coalesced_mmio_in_range. */
        boolean contains(long address, long length, boolean port) {
            return pio == port
                    && Long.compareUnsigned(address + length, address) >= 0
                    && Long.compareUnsigned(address, start) >= 0
                    && Long.compareUnsigned(address + length, start + bytes) <= 0;
        }
    }

    /** KVM_REGISTER_COALESCED_MMIO. */
    IoctlResult register(long start, long bytes, long pio) {
        if (Long.compareUnsigned(pio, 1) > 0) {
            return Check.COALESCED_PIO.refuse("kvm_vm_ioctl_register_coalesced_mmio: pio is 0 or 1");
        }
        var more = new ArrayList<>(zones);
        more.add(new Zone(start, bytes & 0xffff_ffffL, pio == 1));
        zones = List.copyOf(more);
        return IoctlResult.done();
    }

    /** KVM_UNREGISTER_COALESCED_MMIO: all zones of the kind that contain the range; it is no error if none does. */
    IoctlResult unregister(long start, long bytes, long pio) {
        if (Long.compareUnsigned(pio, 1) > 0) {
            return Check.COALESCED_PIO.refuse("kvm_vm_ioctl_unregister_coalesced_mmio: pio is 0 or 1");
        }
        zones = zones.stream()
                .filter(zone -> !zone.contains(start, bytes & 0xffff_ffffL, pio == 1))
                .toList();
        return IoctlResult.done();
    }

    /** coalesced_mmio_write; false if the write is user space's: no zone has it, or the ring is full. */
    public boolean write(long address, int bytes, long data, boolean pio) {
        if (zones.stream().noneMatch(zone -> zone.contains(address, bytes, pio))) {
            return false;
        }
        int last = ring.getInt(LAST);
        if (Integer.compareUnsigned(last, ENTRIES) >= 0 || (last + 1) % ENTRIES == ring.getInt(FIRST)) {
            return false;
        }
        int at = HEADER + last * ENTRY_BYTES;
        ring.putLong(at, address);
        ring.putInt(at + 8, bytes);
        ring.putInt(at + 12, pio ? 1 : 0);
        ring.putLong(at + 16, data);
        ring.putInt(LAST, (last + 1) % ENTRIES);
        return true;
    }

    /** User space takes what is in the ring, oldest first: address, length, pio, data. */
    public List<Map<String, ?>> drain() {
        var entries = new ArrayList<Map<String, ?>>();
        int last = ring.getInt(LAST);
        for (int i = ring.getInt(FIRST); i != last && Integer.compareUnsigned(i, ENTRIES) < 0; i = (i + 1) % ENTRIES) {
            int at = HEADER + i * ENTRY_BYTES;
            var fields = new LinkedHashMap<String, Object>();
            fields.put("addr", ring.getLong(at));
            fields.put("len", (long) ring.getInt(at + 8));
            fields.put("pio", ring.getInt(at + 12) != 0);
            fields.put("data", ring.getLong(at + 16));
            entries.add(fields);
        }
        ring.putInt(FIRST, last);
        return entries;
    }

    /** The page, as every vCPU's mapping shows it. */
    ByteBuffer page() {
        return ring;
    }

    Runnable checkpoint() {
        List<Zone> saved = zones;
        byte[] bytes = ring.array().clone();
        return () -> {
            zones = saved;
            ring.put(0, bytes);
        };
    }
}
