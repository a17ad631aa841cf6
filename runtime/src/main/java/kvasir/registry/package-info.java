/**
 * The vocabulary in which an object of the machine tells what scripts may do with it (design decision D4), beneath
 * every storey.
 *
 * <p>Every operation and property that a script can reach is declared once, as a {@link kvasir.registry.Api} constant
 * on the class that has it: plain lambdas, checked by the compiler, no reflection. The KVS binding, the JavaScript
 * binding, {@code kvs-api.d.ts}, completion, help and the reference manual are derived from these constants.
 *
 * <p>Values that cross: {@code Long} (an unsigned 64-bit quantity), {@code Boolean}, {@code String},
 * {@link kvasir.registry.Bytes}, {@link kvasir.registry.Range}, {@code List<?>}, {@code Map<String, ?>} with a fixed
 * order, {@link kvasir.registry.Guest}, {@link kvasir.registry.Outcome}, {@link kvasir.registry.State} and {@link kvasir.registry.Described} handles.
 *
 * <p>A property {@code vcpus} whose type begins with {@code list of} also gives scripts {@code vcpu0}, {@code vcpu1}
 * ...; the type of any other property is the {@link kvasir.registry.Api#name()} of what it gives, or {@code u64},
 * {@code bool}, {@code string}, {@code bytes}, {@code range}, {@code state}, {@code outcome}; checks before running
 * rely on it.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>operation</b>: a verb of an object, {@code td.vcpu0.map_memory 0 .. 2M}; it returns an outcome or a value.
 *   <li><b>property</b>: a noun of an object, {@code td.ept}.
 *   <li><b>outcome</b>: how an operation ended: ok, an errno, an exit, a completion status (design decision D3).
 *   <li><b>state</b>: what {@code is} compares with: {@code leaf(4K, rwx)}, {@code FREE}.
 * </ul>
 */
@NullMarked
package kvasir.registry;

import org.jspecify.annotations.NullMarked;
