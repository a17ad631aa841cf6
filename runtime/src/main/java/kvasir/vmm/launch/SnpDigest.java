package kvasir.vmm.launch;

import java.util.Optional;
import kvasir.metal.snp.psp.Ledger;
import kvasir.registry.Bytes;

/** What {@code kvs snp-digest} does: launches a guest on an emulated platform and reads off what was measured. */
public final class SnpDigest {
    private SnpDigest() {}

    /** Which technology measures. */
    public enum Mode {
        SNP,
        SEV_ES,
        SEV
    }

    /**
     * What to launch.
     *
     * @param request firmware, direct boot, vCPUs
     * @param firmwareDigest the launch digest after the firmware image, if that is known instead of the image's content;
     *     SNP only
     */
    public record Options(Mode mode, SnpLaunchPlan.Request request, Optional<Bytes> firmwareDigest) {}

    /**
     * What was measured.
     *
     * @param digest 48 bytes for SNP, 32 for the others
     * @param ledger the digest's steps, for SNP
     */
    public record Result(Bytes digest, Optional<Ledger> ledger) {}

    /** Launches and measures. */
    public static Result of(Options options) throws LaunchRefused {
        SnpLaunchPlan.Request request = options.request();
        return switch (options.mode()) {
            case SEV ->
                new Result(SevLaunchPlan.sev(request.firmware(), request.boot()).run(), Optional.empty());
            case SEV_ES ->
                new Result(
                        SevLaunchPlan.sevEs(request.firmware(), request.boot(), request.vcpus(), request.signature())
                                .run(),
                        Optional.empty());
            case SNP -> snp(SnpLaunchPlan.of(request), options.firmwareDigest());
        };
    }

    private static Result snp(SnpLaunchPlan plan, Optional<Bytes> firmwareDigest) throws LaunchRefused {
        SnpLaunch launch = SnpLaunch.onFreshHost();
        launch.start(SnpLaunch.USUAL_POLICY);
        firmwareDigest.ifPresent(digest ->
                launch.host().firmware().seedLaunchDigest(launch.guest().context(), digest));
        launch.run(firmwareDigest.isPresent() ? plan.withoutFirmware() : plan);
        return new Result(
                launch.guest().launchDigest(), Optional.of(launch.guest().ledger()));
    }
}
