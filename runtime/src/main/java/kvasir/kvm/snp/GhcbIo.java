package kvasir.kvm.snp;

import java.util.Optional;
import kvasir.kvm.Errno;
import kvasir.kvm.ExitCounters;
import kvasir.kvm.KvmRun;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VcpuLapic;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Port I/O and MMIO that a guest asks for by NAE events, and the scratch buffer that they and page state changes use
 * (sev.c, setup_vmgexit_scratch, sev_es_string_io; x86.c, kvm_sev_es_mmio).
 */
final class GhcbIo {
    private static final int SCRATCH_LIMIT = 16 * 1024;
    private static final int LARGEST_PIO = 4096;
    private static final int FRAGMENT = 8;

    private final SnpVm snp;
    private final Vcpu vcpu;
    private final GuestPages pages;
    private final PhysicalMemory memory;
    private Pending pending = Pending.NOTHING;
    private long scratch;
    private int elements;
    private int elementBytes;
    private long mmioGpa;
    private int mmioLeft;

    /** What the next KVM_RUN must finish first. */
    private enum Pending {
        NOTHING,
        IN,
        STRING_IN,
        MMIO_READ,
        MMIO_WRITE
    }

    GhcbIo(SnpVm snp, Vcpu vcpu, GuestPages pages) {
        this.snp = snp;
        this.vcpu = vcpu;
        this.pages = pages;
        memory = snp.vm().kvm().memory();
    }

    /** Host address of the scratch buffer that {@link #openScratch} found. */
    long scratch() {
        return scratch;
    }

    private boolean since71() {
        return snp.vm().kvm().version().atLeast(7, 1);
    }

    /** The buffer is in the GHCB, or with version 1 of the protocol elsewhere in shared memory; else the guest is told. */
    boolean openScratch(Ghcb ghcb, long bytes) {
        long begin = ghcb.scratch();
        long end = begin + bytes;
        boolean good = begin != 0 && Long.compareUnsigned(end, begin) >= 0;
        if (good && (begin & -4096L) == ghcb.gpa()) {
            good = begin >= ghcb.gpa() + Ghcb.SHARED_BUFFER && end <= ghcb.gpa() + Ghcb.SHARED_BUFFER_END;
            scratch = ghcb.at(begin & 4095);
        } else if (good) {
            boolean elsewhere = !since71() || snp.ghcbVersion() < 2;
            boolean onePage = (begin & -4096L) == (end - 1 & -4096L);
            Optional<Long> found =
                    elsewhere && onePage && bytes <= SCRATCH_LIMIT ? pages.host(begin) : Optional.empty();
            good = found.isPresent();
            scratch = found.orElse(0L);
        }
        if (!good) {
            ghcb.malformed(Ghcb.INVALID_SCRATCH);
        }
        return good;
    }

    // ---- port I/O

    Optional<RunResult> port(Ghcb ghcb) {
        long info = ghcb.exitInfo1();
        int bytes = (int) (info >>> 4) & 7;
        int port = (int) (info >>> 16) & 0xffff;
        boolean in = (info & 1) != 0;
        if ((info & 4) == 0) {
            return single(ghcb, in, bytes, port);
        }
        if (ghcb.exitInfo2() < 0 || ghcb.exitInfo2() > Integer.MAX_VALUE / Math.max(1, bytes)) {
            return refused("sev_es_string_io: the repeat count is too large");
        }
        int count = (int) ghcb.exitInfo2();
        if (count == 0 || bytes == 0 || !openScratch(ghcb, (long) count * bytes)) {
            return Optional.empty();
        }
        elementBytes = bytes;
        elements = Math.min(count, LARGEST_PIO / bytes);
        var data = new byte[elements * bytes];
        if (!in) {
            memory.read(scratch, data, 0, data.length);
        }
        pending = in ? Pending.STRING_IN : Pending.NOTHING;
        vcpu.kvmRun().io(in, bytes, port, elements, data);
        return exited();
    }

    private Optional<RunResult> single(Ghcb ghcb, boolean in, int bytes, int port) {
        int value = in ? 0 : (int) (ghcb.rax() & -1L >>> (64 - 8 * bytes));
        Optional<VcpuLapic> kernel = vcpu.lapic().filter(chip -> chip.ownsPort(port));
        if (kernel.isPresent()) {
            if (in) {
                ghcb.setRax(Integer.toUnsignedLong(kernel.get().readPort(port)));
            } else {
                kernel.get().writePort(port, value);
            }
            return Optional.empty();
        }
        pending = in ? Pending.IN : Pending.NOTHING;
        elementBytes = bytes;
        vcpu.kvmRun().io(in, bytes, port, value);
        return exited();
    }

    // ---- MMIO

    Optional<RunResult> mmio(Ghcb ghcb, boolean write) {
        long bytes = ghcb.exitInfo2();
        if (bytes == 0 && since71()) {
            return Optional.empty();
        }
        if (bytes > FRAGMENT && since71()) {
            ghcb.malformed(Ghcb.INVALID_INPUT);
            return Optional.empty();
        }
        if (bytes <= 0 || bytes > SCRATCH_LIMIT) {
            return refused("kvm_sev_es_mmio: %d bytes".formatted(bytes));
        }
        if (!openScratch(ghcb, bytes)) {
            return Optional.empty();
        }
        mmioGpa = ghcb.exitInfo1();
        mmioLeft = (int) bytes;
        return nextMmio(write);
    }

    private Optional<RunResult> nextMmio(boolean write) {
        int bytes = Math.min(FRAGMENT, mmioLeft);
        if (!write) {
            pages.wrote(scratch, bytes, "complete_sev_es_emulated_mmio");
        }
        vcpu.exits().count(ExitCounters.Cause.MMIO);
        Optional<VcpuLapic> kernel = vcpu.lapic().filter(chip -> chip.ownsAddress(mmioGpa));
        if (kernel.isPresent()) {
            if (write) {
                kernel.get().writeMmio(mmioGpa, bytes, readScratch(bytes));
            }
            return fragmentDone(write, write ? 0 : kernel.get().readMmio(mmioGpa));
        }
        pending = write ? Pending.MMIO_WRITE : Pending.MMIO_READ;
        vcpu.kvmRun().mmio(mmioGpa, bytes, write);
        vcpu.kvmRun().setMmioData(write ? readScratch(bytes) : 0);
        return exited();
    }

    private long readScratch(int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | memory.read8(scratch + i) & 0xff;
        }
        return value;
    }

    private Optional<RunResult> fragmentDone(boolean write, long value) {
        int bytes = Math.min(FRAGMENT, mmioLeft);
        for (int i = 0; !write && i < bytes; i++) {
            memory.write8(scratch + i, (byte) (value >>> (8 * i)));
        }
        scratch += bytes;
        mmioGpa += bytes;
        mmioLeft -= bytes;
        return mmioLeft > 0 ? nextMmio(write) : Optional.empty();
    }

    // ---- completion

    /** What user space answered goes to the guest; a result if user space is asked again. */
    Optional<RunResult> complete(Optional<Ghcb> page) {
        KvmRun run = vcpu.kvmRun();
        Pending what = pending;
        pending = Pending.NOTHING;
        return switch (what) {
            case NOTHING -> Optional.empty();
            case IN -> {
                long mask = -1L >>> (64 - 8 * elementBytes);
                page.ifPresent(g -> g.setRax(Integer.toUnsignedLong(run.ioData()) & mask));
                yield Optional.empty();
            }
            case STRING_IN -> {
                pages.wrote(scratch, elements * elementBytes, "complete_sev_es_emulated_ins");
                for (int i = 0; i < elements * elementBytes; i++) {
                    memory.write8(scratch + i, run.ioByte(i));
                }
                yield Optional.empty();
            }
            case MMIO_READ -> fragmentDone(false, run.mmioData());
            case MMIO_WRITE -> fragmentDone(true, 0);
        };
    }

    private Optional<RunResult> exited() {
        return Optional.of(
                new RunResult.Exited(vcpu.kvmRun().reason(), vcpu.kvmRun().fields()));
    }

    private static Optional<RunResult> refused(String why) {
        return Optional.of(new RunResult.Refused(Errno.EINVAL, why));
    }

    Runnable checkpoint() {
        Pending savedPending = pending;
        long savedScratch = scratch;
        int savedElements = elements;
        int savedElementBytes = elementBytes;
        long savedGpa = mmioGpa;
        int savedLeft = mmioLeft;
        return () -> {
            pending = savedPending;
            scratch = savedScratch;
            elements = savedElements;
            elementBytes = savedElementBytes;
            mmioGpa = savedGpa;
            mmioLeft = savedLeft;
        };
    }
}
