package kvasir.vmm;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import kvasir.kvm.Errno;
import kvasir.kvm.ExitReason;
import kvasir.kvm.KvmRun;
import kvasir.kvm.MemoryAttributes;
import kvasir.kvm.Memslot;
import kvasir.kvm.MpState;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.irqchip.IrqChip;
import kvasir.vmm.device.PcBoard;

/**
 * A VMM's vCPU threads as on one processor of the host: each runs for a slice, in order of vCPU ids; one that sleeps, or
 * spins on PAUSE, gives way. With all asleep time jumps to the next timer. So a run is the same every time; unless the VM
 * was declared with {@code smp threads}, then {@link HostThreads} run it.
 */
public final class VcpuThreads {
    /** Instructions of one slice while other vCPUs may want to run. */
    private static final long SLICE = 10_000;

    /** Instructions of a lone vCPU between two looks at the keyboard. */
    private static final long ATTENTIVE = 5_000_000;

    /** Offset of hypercall.args in kvm_run. */
    private static final int ARGS = 40;

    private static final long ENCRYPTED = 1 << 4;

    /** Offset of memory_fault in kvm_run: flags, gpa, size. */
    private static final int FAULT = 32;

    private final Vm vm;
    private final PcBoard board;
    private BooleanSupplier awaited = () -> false;
    private ConsoleInput input = ConsoleInput.NONE;

    /** @param board answers the exits */
    public VcpuThreads(Vm vm, PcBoard board) {
        this.vm = vm;
        this.board = board;
    }

    /**
     * Runs the guest until it ends.
     *
     * @param budget instructions of all vCPUs together, at least 1
     * @param awaited asked after each exit to user space: whether the caller's wait is over
     */
    Ended run(long budget, BooleanSupplier awaited) {
        this.awaited = awaited;
        List<Vcpu> vcpus = vm.vcpus();
        if (vm.processors().isPresent()) {
            vcpus.forEach(vcpu -> vcpu.yieldOnPause(false));
            HostThreads.Slice attentive = (vcpu, instructions) -> {
                pump();
                return slice(vcpu, instructions);
            };
            return new HostThreads(vm, vm.processors().get(), attentive, budget).run();
        }
        boolean several = vcpus.size() > 1;
        vcpus.forEach(vcpu -> vcpu.yieldOnPause(several));
        long alone = input.open() ? ATTENTIVE : Long.MAX_VALUE;
        long spent = 0;
        while (spent < budget) {
            boolean ran = false;
            pump();
            for (Vcpu vcpu : vcpus) {
                long before = retired(vcpu);
                Optional<Ended> end = slice(vcpu, Math.min(several ? SLICE : alone, budget - spent));
                long retired = retired(vcpu) - before;
                spent += retired;
                ran |= retired != 0 || vcpu.mpState() == MpState.RUNNABLE;
                if (end.isPresent()) {
                    return end.get();
                }
            }
            boolean keyboard = board.com1().listening() && input.open();
            if (!ran && keyboard && input.await(untilTimer())) {
                continue;
            }
            if (!ran && !vm.idle() && !keyboard) {
                return new Ended.Asleep(vcpus.stream().map(Vcpu::mpState).toList());
            }
        }
        return new Ended.BudgetSpent(budget);
    }

    private long retired(Vcpu vcpu) {
        return vm.vendor().processor(vcpu).retired();
    }

    /** Who types on COM1 while the guest runs. */
    void connect(ConsoleInput keyboard) {
        input = keyboard;
    }

    private void pump() {
        while (board.com1().listening()) {
            OptionalInt octet = input.poll();
            if (octet.isEmpty()) {
                return;
            }
            board.com1().receive(octet.getAsInt());
        }
    }

    private long untilTimer() {
        long deadline = vm.irqchip().map(IrqChip::deadline).orElse(Long.MAX_VALUE);
        return deadline == Long.MAX_VALUE ? deadline : deadline - vm.now();
    }

    /** One vCPU until its slice is over or it gives way; or the end of everything. */
    private Optional<Ended> slice(Vcpu vcpu, long instructions) {
        long end = retired(vcpu) + instructions;
        while (true) {
            long left = end - retired(vcpu);
            if (left <= 0) {
                return Optional.empty();
            }
            RunResult result = vcpu.run(left);
            switch (result) {
                case RunResult.BudgetSpent _, RunResult.Descheduled _ -> {
                    return Optional.empty();
                }
                case RunResult.Exited(ExitReason reason, var _) when reason == ExitReason.IO -> port(vcpu.kvmRun());
                case RunResult.Exited(ExitReason reason, var _) when reason == ExitReason.MMIO -> memory(vcpu.kvmRun());
                case RunResult.Exited(ExitReason reason, var _)
                when reason == ExitReason.HYPERCALL -> pageState(vcpu.kvmRun());
                case RunResult.MemoryFault _ when convert(vcpu.kvmRun()) -> {}
                case RunResult.Refused refused when refused.errno() == Errno.EAGAIN -> {}
                case RunResult.Refused refused
                when refused.errno() == Errno.EINTR -> {
                    return Optional.of(new Ended.Interrupted());
                }
                default -> {
                    return Optional.of(new Ended.Stopped(vcpu.id(), result));
                }
            }
            if (board.exitCode().isPresent()) {
                return Optional.of(new Ended.DebugExit(board.exitCode().getAsInt()));
            }
            if (awaited.getAsBoolean()) {
                return Optional.of(new Ended.Awaited());
            }
            if (board.poweredOff()) {
                return Optional.of(new Ended.PoweredOff());
            }
            if (board.resetRequested()) {
                return Optional.of(new Ended.Reset());
            }
        }
    }

    /** KVM_HC_MAP_GPA_RANGE: what the guest asks for becomes the attribute. */
    private void pageState(KvmRun run) {
        long gpa = run.get64(ARGS);
        long pages = run.get64(ARGS + 8);
        long attributes = (run.get64(ARGS + 16) & ENCRYPTED) != 0 ? MemoryAttributes.PRIVATE : 0;
        run.setHypercallRet(
                vm.setMemoryAttributes(gpa, pages << 12, attributes, 0).succeeded() ? 0 : 1);
    }

    /**
     * KVM_EXIT_MEMORY_FAULT: the page becomes what the guest takes it for, as QEMU's kvm_convert_memory does; MMIO taken
     * for private memory stops the guest.
     */
    private boolean convert(KvmRun run) {
        long attributes = run.get64(FAULT) & MemoryAttributes.PRIVATE;
        Memslot slot = vm.memslots(0).lookup(run.get64(FAULT + 8) >>> 12);
        boolean possible = attributes == 0 || slot.exists() && slot.gmem().isPresent();
        return vm.type().hasPrivateMemory()
                && possible
                && vm.setMemoryAttributes(run.get64(FAULT + 8), run.get64(FAULT + 16), attributes, 0)
                        .succeeded();
    }

    private void port(KvmRun run) {
        int port = run.ioPort();
        int bytes = run.ioBytes();
        if (run.ioIn()) {
            run.setIoData(board.in(port, bytes, vm.now()));
        } else {
            board.out(port, bytes, run.ioData(), vm.now());
        }
    }

    private void memory(KvmRun run) {
        if (run.mmioWrite()) {
            board.writeMemory(run.mmioGpa(), run.mmioBytes(), run.mmioData());
        } else {
            run.setMmioData(board.readMemory(run.mmioGpa(), run.mmioBytes()));
        }
    }
}
