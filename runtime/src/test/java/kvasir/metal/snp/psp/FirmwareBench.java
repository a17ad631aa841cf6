package kvasir.metal.snp.psp;

import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;
import kvasir.event.Events;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.HostInstructions;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpRegisters;
import kvasir.metal.snp.RmpUpdate;
import kvasir.metal.snp.Rules;
import kvasir.metal.snp.Vmsa;
import kvasir.registry.Bytes;

/** A platform of 256 MiB and the hands of a driver. */
final class FirmwareBench {
    static final long POLICY = 0x30000;
    static final Bytes NO_HOST_DATA = Bytes.of(new byte[32]);

    final PhysicalMemory memory = new PhysicalMemory(256 << 20);
    final Events events = new Events();
    final Rmp rmp = new Rmp(memory, events, RmpRegisters.contiguous(0x800_0000, 0x20_0000));
    final HostInstructions instructions;
    final SnpFirmware firmware;
    final Set<FirmwareStatus> seen = EnumSet.noneOf(FirmwareStatus.class);
    private long nextPage = 0x10_0000;

    FirmwareBench() {
        this(Rules.standard(), config());
    }

    FirmwareBench(Rules rules, PlatformConfig config) {
        instructions = new HostInstructions(rmp, rules);
        firmware = new SnpFirmware(rmp, rules, events, config, 0x700_0000);
    }

    static PlatformConfig config() {
        return PlatformConfig.milan(Bytes.of("a seed of the tests".getBytes(StandardCharsets.US_ASCII)));
    }

    /** A platform after SNP_INIT_EX. */
    static FirmwareBench initialised() {
        return new FirmwareBench().init();
    }

    FirmwareBench init() {
        expect(FirmwareStatus.SUCCESS, FirmwareCommand.SNP_INIT_EX, CommandBuffer.initEx(true, 0));
        return this;
    }

    FirmwareStatus command(FirmwareCommand command, Bytes buffer) {
        CommandBuffer.write(memory, 0x1000, buffer);
        FirmwareStatus status = firmware.issue(command.id(), 0x1000);
        seen.add(status);
        return status;
    }

    void expect(FirmwareStatus expected, FirmwareCommand command, Bytes buffer) {
        FirmwareStatus status = command(command, buffer);
        if (status != expected) {
            throw new AssertionError("%s: expected %s but was %s".formatted(command, expected, status));
        }
    }

    long page() {
        nextPage += 4096;
        return nextPage - 4096;
    }

    void rmpupdate(long spa, RmpUpdate update) {
        ReturnCode code = instructions.rmpupdate(spa, update);
        if (code != ReturnCode.SUCCESS) {
            throw new AssertionError("RMPUPDATE: " + code);
        }
    }

    long firmwarePage() {
        long spa = page();
        rmpupdate(spa, RmpUpdate.toFirmware());
        return spa;
    }

    long preGuestPage(long gpa, int asid) {
        long spa = page();
        rmpupdate(spa, RmpUpdate.toGuest(gpa, PageSize.SIZE_4K, asid, true));
        return spa;
    }

    long context() {
        long context = firmwarePage();
        expect(FirmwareStatus.SUCCESS, FirmwareCommand.SNP_GCTX_CREATE, CommandBuffer.address(context));
        return context;
    }

    /** A context in LAUNCH, not active. */
    long started(long policy) {
        long context = context();
        expect(FirmwareStatus.SUCCESS, FirmwareCommand.SNP_LAUNCH_START, start(context, policy));
        return context;
    }

    static Bytes start(long context, long policy) {
        return CommandBuffer.launchStart(context, policy, false, Bytes.of(new byte[16]));
    }

    long active(long policy, int asid) {
        long context = started(policy);
        expect(FirmwareStatus.SUCCESS, FirmwareCommand.SNP_ACTIVATE, CommandBuffer.activate(context, asid));
        return context;
    }

    long add(long context, PageType type, long gpa, int asid) {
        long spa = preGuestPage(gpa, asid);
        if (type == PageType.VMSA) {
            memory.write64(spa + Vmsa.EFER, Vmsa.EFER_SVME);
            memory.write64(spa + Vmsa.SEV_FEATURES, 1);
        }
        expect(FirmwareStatus.SUCCESS, FirmwareCommand.SNP_LAUNCH_UPDATE, update(context, type, spa));
        return spa;
    }

    static Bytes update(long context, PageType type, long spa) {
        return CommandBuffer.launchUpdate(context, PageSize.SIZE_4K, type, false, spa, 0);
    }

    void finish(long context) {
        expect(
                FirmwareStatus.SUCCESS,
                FirmwareCommand.SNP_LAUNCH_FINISH,
                CommandBuffer.launchFinish(context, 0, 0, false, false, NO_HOST_DATA));
    }

    long running(long policy, int asid) {
        long context = active(policy, asid);
        finish(context);
        return context;
    }

    byte[] read(long spa, int bytes) {
        var content = new byte[bytes];
        memory.read(spa, content, 0, bytes);
        return content;
    }
}
