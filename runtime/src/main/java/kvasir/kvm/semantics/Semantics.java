package kvasir.kvm.semantics;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.KernelVersion;
import kvasir.kvm.Vcpu;
import kvasir.kvm.mmu.MmuPolicy;
import kvasir.kvm.mmu.MmuRule;

/** One answer to the question of the thread: what it means to map guest memory in advance. */
public abstract sealed class Semantics permits Rfc, RfcV2, Sean, V6_11, V6_16, V6_18, V6_19, Custom {
    /** The policy word that breaks an {@link MmuRule}. */
    private static final String BREAKS = "breaks";

    /** The policy word for the release that everything else behaves as in: {@code kernel v7_1}. */
    private static final String KERNEL = "kernel";

    private static final Pattern RELEASE = Pattern.compile("v(\\d{1,2})_(\\d{1,2})");

    private final String name;
    private final KernelVersion kernel;
    private final Policies policies;

    Semantics(String name, KernelVersion kernel, Policies policies) {
        this.name = name;
        this.kernel = kernel;
        this.policies = policies;
    }

    /** What a script calls it: {@code v6.18}. */
    public final String name() {
        return name;
    }

    /** The kernel it lives in: everything else behaves as in this release. */
    public final KernelVersion kernel() {
        return kernel;
    }

    /** Its choices. */
    public final Policies policies() {
        return policies;
    }

    /** One sentence: what it is and where it comes from. */
    public abstract String doc();

    /** What follows from it for the fault path. */
    public final MmuPolicy mmuPolicy() {
        return new MmuPolicy(
                kernel, policies.invalidSlot() == Policies.InvalidSlot.SPIN, policies.spuriousLeafCheck(), broken());
    }

    /** A rule of the MMU's locking that is not kept; only a semantics that a script puts together has one. */
    Optional<MmuRule> broken() {
        return Optional.empty();
    }

    /**
     * KVM_MAP_MEMORY or KVM_PRE_FAULT_MEMORY.
     *
     * @param request the ioctl's struct, read and written back
     */
    public final IoctlResult mapMemory(Vcpu vcpu, MemoryMapping request) {
        return new MapMemory(this, vcpu, request).ioctl();
    }

    /** All that have a name of their own, the oldest first. */
    public static List<Semantics> all() {
        return List.of(new Rfc(), new RfcV2(), new Sean(), new V6_11(), new V6_16(), new V6_18(), new V6_19());
    }

    /** What a script gets that selects none: the newest. */
    public static Semantics newest() {
        return new V6_19();
    }

    /** The one with this name. */
    public static Optional<Semantics> named(String name) {
        return all().stream().filter(semantics -> semantics.name.equals(name)).findFirst();
    }

    /**
     * {@code base} with some policies replaced.
     *
     * @param overrides words by policy name
     * @param problems gets one sentence for each override that is not legal
     */
    public static Semantics custom(String name, Semantics base, Map<String, String> overrides, List<String> problems) {
        var policies = new ArrayList<>(List.of(base.policies));
        Optional<MmuRule> broken = Optional.empty();
        KernelVersion kernel = base.kernel;
        for (Map.Entry<String, String> each : overrides.entrySet()) {
            if (each.getKey().equals(BREAKS)) {
                broken = MmuRule.of(each.getValue());
                if (broken.isEmpty()) {
                    problems.add("there is no rule '%s' to break; there are %s"
                            .formatted(
                                    each.getValue(),
                                    Stream.of(MmuRule.values())
                                            .map(MmuRule::word)
                                            .collect(Collectors.joining(", "))));
                }
            } else if (each.getKey().equals(KERNEL)) {
                Matcher release = RELEASE.matcher(each.getValue());
                if (release.matches()) {
                    kernel = new KernelVersion(Integer.parseInt(release.group(1)), Integer.parseInt(release.group(2)));
                } else {
                    problems.add("policy 'kernel' is a release, as v7_1, not '%s'".formatted(each.getValue()));
                }
            } else {
                policies.getLast()
                        .with(each.getKey(), each.getValue())
                        .ifPresentOrElse(policies::add, () -> problems.add(problem(each.getKey(), each.getValue())));
            }
        }
        return new Custom(name, base, kernel, policies.getLast(), broken);
    }

    private static String problem(String policy, String word) {
        List<String> legal = Policies.vocabulary().getOrDefault(policy, List.of());
        return legal.isEmpty()
                ? "there is no policy '%s'; there are %s"
                        .formatted(
                                policy, String.join(", ", Policies.vocabulary().keySet()))
                : "policy '%s' is one of %s, not '%s'".formatted(policy, String.join(", ", legal), word);
    }

    @Override
    public final String toString() {
        return name;
    }
}
