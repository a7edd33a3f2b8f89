import { useAsk } from "@/api/query";
import { Mark } from "@/components/Mark";
import { ProblemNote } from "@/components/Problem";
import { Section, Waiting } from "@/components/Section";

/** Who can be asked by runs of this server. Keys are its own affair: they are never shown, nor taken over the API. */
export function Providers() {
  const found = useAsk("/api/v1/providers");
  if (found.error) return <ProblemNote error={found.error} retry={found.refetch} />;
  if (!found.data) return <Waiting />;
  const ready = found.data.filter((one) => one.ready).length;
  return (
    <Section title={`${ready} of ${found.data.length} providers are ready`} fine="The server reads keys from its environment when it starts; they are never shown, nor taken over the API. BOXSCORE_PROVIDERS names more, by their address.">
      <table className="tight max-w-[720px]">
        <thead><tr><th>provider</th><th>state</th><th>key</th></tr></thead>
        <tbody>
          {found.data.map(({ name, ready: is, key_env }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{is ? <span className="good"><Mark state="good" /> ready</span> : <span className="mut"><Mark state="none" /> no key</span>}</td>
              <td className="mut">{key_env ? <code>{key_env}</code> : "needs none"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
