package kvasir.vmm;

import java.util.Map;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.registry.Bytes;
import kvasir.registry.Outcome;
import kvasir.registry.Range;

/** Guest memory by gpa, seen from the VMM. */
final class GuestMemory {
    private static final long MOST = 16 << 20;

    private GuestMemory() {}

    /** Bytes, or an {@link Outcome.Failed}; touches nothing. */
    static Object read(Vm vm, Range range) {
        if (range.size() < 0 || range.size() > MOST) {
            return new Outcome.Failed("E2BIG", "read takes at most 16M", Map.of());
        }
        var bytes = new byte[(int) range.size()];
        for (int done = 0; done < bytes.length; ) {
            long gpa = range.start() + done;
            int chunk = (int) Math.min(bytes.length - done, 4096 - (gpa & 4095));
            Memslot slot = vm.memslots(0).lookup(gpa >>> 12);
            if (!slot.exists()) {
                return new Outcome.Failed("EFAULT", "no slot contains gpa 0x%x".formatted(gpa), Map.of("gpa", gpa));
            }
            long pfn = pfn(vm, slot, gpa >>> 12);
            if (pfn >= 0) {
                vm.kvm().memory().read((pfn << 12) + (gpa & 4095), bytes, done, chunk);
            }
            done += chunk;
        }
        return Bytes.of(bytes);
    }

    /** The page that holds the gfn now; -1 if there is none yet. */
    private static long pfn(Vm vm, Memslot slot, long gfn) {
        if (fromGmem(vm, slot, gfn)) {
            return slot.gmem().map(file -> file.pageAt(slot.gmemIndex(gfn))).orElse(-1L);
        }
        long hva = slot.hva(gfn);
        return vm.mm().peek(hva);
    }

    private static boolean fromGmem(Vm vm, Memslot slot, long gfn) {
        return slot.gmemOnly() || (slot.hasGmem() && vm.attributes().isPrivate(gfn));
    }

    /** Writes through the VMM's mapping. */
    static Outcome write(Vm vm, long gpa, Bytes bytes) {
        byte[] content = bytes.toArray();
        for (int done = 0; done < content.length; ) {
            long at = gpa + done;
            int chunk = (int) Math.min(content.length - done, 4096 - (at & 4095));
            Memslot slot = vm.memslots(0).lookup(at >>> 12);
            if (!slot.exists()) {
                return new Outcome.Failed("EFAULT", "no slot contains gpa 0x%x".formatted(at), Map.of("gpa", at));
            }
            if (slot.gmemOnly()) {
                long pfn = slot.gmem()
                        .map((GuestMemfd file) -> file.userFault(slot.gmemIndex(at >>> 12)))
                        .orElse(-1L);
                if (pfn < 0) {
                    return new Outcome.Failed("EFAULT", "the guest_memfd cannot be mapped here", Map.of("gpa", at));
                }
                if (!vm.kvm().pages().writable(pfn)) {
                    return new Outcome.Failed(
                            "EFAULT",
                            "the reverse map refuses: gpa 0x%x is a guest's".formatted(at),
                            Map.of("gpa", at));
                }
                vm.kvm().memory().write((pfn << 12) + (at & 4095), content, done, chunk);
            } else if (fromGmem(vm, slot, at >>> 12)) {
                return new Outcome.Failed(
                        "EACCES", "gpa 0x%x is private: the VMM cannot write it".formatted(at), Map.of("gpa", at));
            } else if (!vm.mm().write(slot.hva(at >>> 12) + (at & 4095), content, done, chunk)) {
                return new Outcome.Failed(
                        "EFAULT", "the VMM's mapping of gpa 0x%x cannot be written".formatted(at), Map.of("gpa", at));
            }
            done += chunk;
        }
        return Outcome.ok();
    }
}
