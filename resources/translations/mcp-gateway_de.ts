<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en_US">
<context>
    <name>Actions</name>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>MCP Gateway is not ready yet</source>
        <translation>MCP Gateway ist noch nicht bereit</translation>
    </message>
    <message>
        <source>That did not work</source>
        <translation>Das hat nicht geklappt</translation>
    </message>
    <message>
        <source>The log tells what happened.</source>
        <translation>Was geschehen ist, steht im Protokoll.</translation>
    </message>
    <message>
        <source>Token copied</source>
        <translation>Token kopiert</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>Versuchen Sie es gleich noch einmal.</translation>
    </message>
</context>
<context>
    <name>ActivityPage</name>
    <message>
        <source>Activity</source>
        <translation>Aktivität</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>Arguments and results go as well. This can&apos;t be undone.</source>
        <translation>Argumente und Ergebnisse gehen mit verloren. Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>Calls</source>
        <translation>Aufrufe</translation>
    </message>
    <message>
        <source>Calls are not kept</source>
        <translation>Aufrufe werden nicht aufgehoben</translation>
    </message>
    <message>
        <source>Calls exported</source>
        <translation>Aufrufe exportiert</translation>
    </message>
    <message>
        <source>Export calls</source>
        <translation>Aufrufe exportieren</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>For one day</source>
        <translation>Einen Tag lang</translation>
    </message>
    <message>
        <source>For {count} days</source>
        <translation>{count} Tage lang</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Vergessen</translation>
    </message>
    <message>
        <source>Forget all calls</source>
        <translation>Alle Aufrufe vergessen</translation>
    </message>
    <message>
        <source>Forget all calls…</source>
        <translation>Alle Aufrufe vergessen…</translation>
    </message>
    <message>
        <source>Forget every call that was kept?</source>
        <translation>Alle aufgehobenen Aufrufe vergessen?</translation>
    </message>
    <message>
        <source>JSON lines (*.jsonl)</source>
        <translation>JSON-Zeilen (*.jsonl)</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Aufheben</translation>
    </message>
    <message>
        <source>Keep calls</source>
        <translation>Aufrufe aufheben</translation>
    </message>
    <message>
        <source>Keep them</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>No call matches what you look for.</source>
        <translation>Kein Aufruf passt zu dem, was Sie suchen.</translation>
    </message>
    <message>
        <source>No calls yet</source>
        <translation>Noch keine Aufrufe</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Search calls</source>
        <translation>Aufrufe durchsuchen</translation>
    </message>
    <message>
        <source>Search client, server, tool and reason (Ctrl+F)</source>
        <translation>Client, Server, Tool und Grund durchsuchen (Strg+F)</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>Alle zeigen</translation>
    </message>
    <message>
        <source>Turn it on, and calls appear here as they happen.</source>
        <translation>Nach dem Einschalten erscheinen Aufrufe hier, sobald sie geschehen.</translation>
    </message>
    <message>
        <source>When a client calls a tool, it appears here as it happens.</source>
        <translation>Wenn ein Client ein Tool aufruft, erscheint es sofort hier.</translation>
    </message>
    <message>
        <source>With arguments and results</source>
        <translation>Mit Argumenten und Ergebnissen</translation>
    </message>
</context>
<context>
    <name>AddButton</name>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add a server</source>
        <translation>Server hinzufügen</translation>
    </message>
    <message>
        <source>Add a server by pasting what its page shows (Ctrl+N)</source>
        <translation>Server hinzufügen: einfügen, was seine Seite zeigt (Strg+N)</translation>
    </message>
</context>
<context>
    <name>AddDialog</name>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add a server</source>
        <translation>Server hinzufügen</translation>
    </message>
    <message>
        <source>Add {count}</source>
        <translation>{count} hinzufügen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Paste what a server&apos;s page shows: its address, a command, a client&apos;s configuration, or a name from the catalog.</source>
        <translation>Einfügen, was die Seite eines Servers zeigt: seine Adresse, einen Befehl, die Konfiguration eines Clients oder einen Namen aus dem Katalog.</translation>
    </message>
    <message>
        <source>Show in catalog</source>
        <translation>Im Katalog zeigen</translation>
    </message>
    <message>
        <source>The catalog has {name}.</source>
        <translation>Der Katalog hat {name}.</translation>
    </message>
    <message>
        <source>This is too much text for the description of a server.</source>
        <translation>Das ist zu viel Text für die Beschreibung eines Servers.</translation>
    </message>
    <message>
        <source>What a server&apos;s page shows</source>
        <translation>Was die Seite eines Servers zeigt</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>Copy message</source>
        <translation>Meldung kopieren</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Ausblenden</translation>
    </message>
</context>
<context>
    <name>CallDetail</name>
    <message>
        <source>Arguments</source>
        <translation>Argumente</translation>
    </message>
    <message>
        <source>Back to the calls</source>
        <translation>Zurück zu den Aufrufen</translation>
    </message>
    <message>
        <source>Cancel call</source>
        <translation>Aufruf abbrechen</translation>
    </message>
    <message>
        <source>Client</source>
        <translation>Client</translation>
    </message>
    <message>
        <source>Copy {what}</source>
        <translation>{what} kopieren</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Ausgang</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>not kept</source>
        <translation>nicht aufgehoben</translation>
    </message>
    <message>
        <source>now</source>
        <translation>jetzt</translation>
    </message>
    <message>
        <source>running</source>
        <translation>läuft</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>unbekannt</translation>
    </message>
</context>
<context>
    <name>CallList</name>
    <message>
        <source>Client</source>
        <translation>Client</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Ausgang</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>Dauer</translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>Tool</translation>
    </message>
    <message>
        <source>now</source>
        <translation>jetzt</translation>
    </message>
    <message>
        <source>running</source>
        <translation>läuft</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>unbekannt</translation>
    </message>
</context>
<context>
    <name>CallPlots</name>
    <message>
        <source>Calls</source>
        <translation>Aufrufe</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Slow calls took</source>
        <translation>Dauer langsamer Aufrufe</translation>
    </message>
    <message>
        <source>at most, in the last hour</source>
        <translation>höchstens, in der letzten Stunde</translation>
    </message>
    <message>
        <source>in the last hour</source>
        <translation>in der letzten Stunde</translation>
    </message>
</context>
<context>
    <name>Catalog</name>
    <message>
        <source>needs a key</source>
        <translation>braucht Schlüssel</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>festgelegt</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>sign-in</source>
        <translation>Anmeldung</translation>
    </message>
</context>
<context>
    <name>CatalogDetail</name>
    <message>
        <source>And {count} more.</source>
        <translation>Und {count} weitere.</translation>
    </message>
    <message>
        <source>Back to the catalog</source>
        <translation>Zurück zum Katalog</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Open the page about it in the browser</source>
        <translation>Die Seite dazu im Browser öffnen</translation>
    </message>
    <message>
        <source>Read more</source>
        <translation>Mehr dazu</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove a server</source>
        <translation>Server entfernen</translation>
    </message>
    <message>
        <source>Remove {title}?</source>
        <translation>{title} entfernen?</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Entfernen…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Einstellungen…</translation>
    </message>
    <message>
        <source>Show server</source>
        <translation>Server zeigen</translation>
    </message>
    <message>
        <source>Take this server, which you added, out of your catalog</source>
        <translation>Diesen Server, der von Hand hinzugefügt wurde, aus dem eigenen Katalog nehmen</translation>
    </message>
    <message>
        <source>Turn off</source>
        <translation>Ausschalten</translation>
    </message>
    <message>
        <source>Turn on</source>
        <translation>Einschalten</translation>
    </message>
    <message>
        <source>When it is on, it may</source>
        <translation>Eingeschaltet darf er</translation>
    </message>
    <message>
        <source>You added it yourself. Its secrets stay.</source>
        <translation>Er wurde von Hand hinzugefügt. Seine Geheimnisse bleiben.</translation>
    </message>
</context>
<context>
    <name>CatalogPage</name>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>All categories</source>
        <translation>Alle Kategorien</translation>
    </message>
    <message>
        <source>Catalog</source>
        <translation>Katalog</translation>
    </message>
    <message>
        <source>Catalogs on this computer list no servers.</source>
        <translation>Die Kataloge auf diesem Computer enthalten keine Server.</translation>
    </message>
    <message>
        <source>Category</source>
        <translation>Kategorie</translation>
    </message>
    <message>
        <source>Container</source>
        <translation>Container</translation>
    </message>
    <message>
        <source>No key needed</source>
        <translation>Ohne Schlüssel</translation>
    </message>
    <message>
        <source>No server is like that.</source>
        <translation>So einen Server gibt es nicht.</translation>
    </message>
    <message>
        <source>No server matches “{text}”.</source>
        <translation>Kein Server passt zu „{text}“.</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Package</source>
        <translation>Paket</translation>
    </message>
    <message>
        <source>Remote</source>
        <translation>Entfernt</translation>
    </message>
    <message>
        <source>Search the catalog</source>
        <translation>Katalog durchsuchen</translation>
    </message>
    <message>
        <source>Search the catalog (Ctrl+F); typing errors are forgiven</source>
        <translation>Katalog durchsuchen (Strg+F); Tippfehler schaden nicht</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>Alle zeigen</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet…</translation>
    </message>
    <message>
        <source>The catalogs appear here in a moment.</source>
        <translation>Die Kataloge erscheinen gleich hier.</translation>
    </message>
    <message>
        <source>The catalogs are empty</source>
        <translation>Die Kataloge sind leer</translation>
    </message>
</context>
<context>
    <name>ClientDetail</name>
    <message>
        <source>Back to the list</source>
        <translation>Zurück zur Liste</translation>
    </message>
    <message>
        <source>Choose a client to see how it stands.</source>
        <translation>Wählen Sie einen Client, um zu sehen, wie es um ihn steht.</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>Verbinden</translation>
    </message>
    <message>
        <source>Connect again</source>
        <translation>Neu verbinden</translation>
    </message>
    <message>
        <source>Disconnect</source>
        <translation>Trennen</translation>
    </message>
    <message>
        <source>Docker&apos;s own gateway is connected as {name}.</source>
        <translation>Dockers eigenes Gateway ist als {name} verbunden.</translation>
    </message>
    <message>
        <source>Fits this client</source>
        <translation>Passt zu diesem Client</translation>
    </message>
    <message>
        <source>It reaches the gateway over HTTP, with a token of its own.</source>
        <translation>Er erreicht das Gateway über HTTP, mit eigenem Token.</translation>
    </message>
    <message>
        <source>It starts a small program that joins the gateway.</source>
        <translation>Er startet ein kleines Programm, das ihn mit dem Gateway verbindet.</translation>
    </message>
    <message>
        <source>Its own servers: {names}.</source>
        <translation>Eigene Server: {names}.</translation>
    </message>
    <message>
        <source>Nothing would change.</source>
        <translation>Es würde sich nichts ändern.</translation>
    </message>
    <message>
        <source>See what connecting would write, before anything is written</source>
        <translation>Ansehen, was das Verbinden schreiben würde, bevor etwas geschrieben wird</translation>
    </message>
    <message>
        <source>Show change</source>
        <translation>Änderung zeigen</translation>
    </message>
    <message>
        <source>What connecting would write</source>
        <translation>Was das Verbinden schreiben würde</translation>
    </message>
    <message>
        <source>{count} too many: turn off servers or single tools.</source>
        <translation>{count} zu viel: Schalten Sie Server oder einzelne Tools aus.</translation>
    </message>
    <message>
        <source>{offered} of {most} tools</source>
        <translation>{offered} von {most} Tools</translation>
    </message>
</context>
<context>
    <name>ClientState</name>
    <message>
        <source>connect again</source>
        <translation>neu verbinden</translation>
    </message>
    <message>
        <source>connected</source>
        <translation>verbunden</translation>
    </message>
    <message>
        <source>entry dropped</source>
        <translation>Eintrag fehlt</translation>
    </message>
    <message>
        <source>file broken</source>
        <translation>Datei defekt</translation>
    </message>
    <message>
        <source>not connected</source>
        <translation>nicht verbunden</translation>
    </message>
    <message>
        <source>not found here</source>
        <translation>nicht gefunden</translation>
    </message>
    <message>
        <source>not here now</source>
        <translation>gerade nicht da</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>wartet</translation>
    </message>
</context>
<context>
    <name>ClientsPage</name>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>Clear search</source>
        <translation>Suche leeren</translation>
    </message>
    <message>
        <source>Clients</source>
        <translation>Clients</translation>
    </message>
    <message>
        <source>Clients such as Claude Desktop, Cursor or VS Code appear here once they are installed.</source>
        <translation>Clients wie Claude Desktop, Cursor oder VS Code erscheinen hier, sobald sie installiert sind.</translation>
    </message>
    <message>
        <source>Here</source>
        <translation>Vorhanden</translation>
    </message>
    <message>
        <source>Import servers…</source>
        <translation>Server importieren…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importieren…</translation>
    </message>
    <message>
        <source>Looking for clients…</source>
        <translation>Clients werden gesucht…</translation>
    </message>
    <message>
        <source>Move servers that clients have into the gateway</source>
        <translation>Server, die Clients haben, in das Gateway holen</translation>
    </message>
    <message>
        <source>No client matches “{text}”.</source>
        <translation>Kein Client passt zu „{text}“.</translation>
    </message>
    <message>
        <source>No client was found on this computer</source>
        <translation>Auf diesem Computer wurde kein Client gefunden</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Search clients</source>
        <translation>Clients durchsuchen</translation>
    </message>
    <message>
        <source>Search clients (Ctrl+F)</source>
        <translation>Clients durchsuchen (Strg+F)</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>Alle zeigen</translation>
    </message>
</context>
<context>
    <name>ClientsPane</name>
    <message>
        <source>Clients on this computer</source>
        <translation>Clients auf diesem Computer</translation>
    </message>
    <message>
        <source>Connect clients</source>
        <translation>Clients verbinden</translation>
    </message>
    <message>
        <source>Looking for clients…</source>
        <translation>Clients werden gesucht…</translation>
    </message>
    <message>
        <source>No client was found on this computer</source>
        <translation>Auf diesem Computer wurde kein Client gefunden</translation>
    </message>
    <message>
        <source>Once Claude Desktop, Cursor, VS Code or another is installed, the place Clients connects it.</source>
        <translation>Sobald Claude Desktop, Cursor, VS Code oder ein anderer installiert ist, lässt er sich im Bereich Clients verbinden.</translation>
    </message>
    <message>
        <source>Switch on the clients that shall have your servers. Each gets one entry in its own file; the rest of the file stays as it is, and switching off takes the entry out.</source>
        <translation>Schalten Sie die Clients ein, die Ihre Server haben sollen. Jeder erhält einen Eintrag in seiner eigenen Datei; ihr übriger Inhalt bleibt, wie er ist, und Ausschalten entfernt den Eintrag wieder.</translation>
    </message>
</context>
<context>
    <name>DraftForm</name>
    <message>
        <source>Add this server</source>
        <translation>Diesen Server hinzufügen</translation>
    </message>
    <message>
        <source>Arguments</source>
        <translation>Argumente</translation>
    </message>
    <message>
        <source>Commands, files and tools call it so</source>
        <translation>So heißt er in Befehlen, Dateien und Tools</translation>
    </message>
    <message>
        <source>Environment</source>
        <translation>Umgebung</translation>
    </message>
    <message>
        <source>Headers</source>
        <translation>Kopfzeilen</translation>
    </message>
    <message>
        <source>It can&apos;t be added: {reason}.</source>
        <translation>Er kann nicht hinzugefügt werden: {reason}.</translation>
    </message>
    <message>
        <source>Kept encrypted in the secret store, given to this server alone</source>
        <translation>Verschlüsselt bei den Geheimnissen aufbewahrt, nur für diesen Server</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Startet</translation>
    </message>
    <message>
        <source>Secret</source>
        <translation>Geheimnis</translation>
    </message>
    <message>
        <source>Sees</source>
        <translation>Sieht</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>Titel</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>nicht festgelegt</translation>
    </message>
    <message>
        <source>{name} is a secret</source>
        <translation>{name} ist ein Geheimnis</translation>
    </message>
</context>
<context>
    <name>DuplicateDialog</name>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Letters, digits, dots, dashes and underscores.</source>
        <translation>Buchstaben, Ziffern, Punkte, Binde- und Unterstriche.</translation>
    </message>
    <message>
        <source>Name of the second one</source>
        <translation>Name des zweiten</translation>
    </message>
    <message>
        <source>Second account</source>
        <translation>Zweites Konto</translation>
    </message>
    <message>
        <source>{title} runs a second time under another name, with secrets and settings of its own.</source>
        <translation>{title} läuft ein zweites Mal unter anderem Namen, mit eigenen Geheimnissen und Einstellungen.</translation>
    </message>
</context>
<context>
    <name>Duration</name>
    <message>
        <source>{count} min</source>
        <translation>{count} min</translation>
    </message>
    <message>
        <source>{count} ms</source>
        <translation>{count} ms</translation>
    </message>
    <message>
        <source>{count} s</source>
        <translation>{count} s</translation>
    </message>
</context>
<context>
    <name>EnginePane</name>
    <message>
        <source>Continue without</source>
        <translation>Ohne fortfahren</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>Erneut suchen</translation>
    </message>
    <message>
        <source>MCP Gateway runs MCP servers for your AI clients and gives them all one address. Most servers run in containers, apart from your files, and need a container engine for it.</source>
        <translation>MCP Gateway führt MCP-Server für Ihre KI-Clients aus und gibt allen eine gemeinsame Adresse. Die meisten Server laufen in Containern, getrennt von Ihren Dateien, und brauchen dafür eine Container-Engine.</translation>
    </message>
    <message>
        <source>Run servers in containers</source>
        <translation>Server in Containern ausführen</translation>
    </message>
    <message>
        <source>You can go on without one: servers from packages and remote servers work all the same.</source>
        <translation>Es geht auch ohne: Server aus Paketen und entfernte Server arbeiten trotzdem.</translation>
    </message>
    <message>
        <source>{engine} was found</source>
        <translation>{engine} wurde gefunden</translation>
    </message>
</context>
<context>
    <name>EngineState</name>
    <message>
        <source>Docker</source>
        <translation>Docker</translation>
    </message>
    <message>
        <source>Docker is not running</source>
        <translation>Docker läuft nicht</translation>
    </message>
    <message>
        <source>Looking for Docker…</source>
        <translation>Docker wird gesucht…</translation>
    </message>
    <message>
        <source>No permission to use Docker</source>
        <translation>Docker darf nicht benutzt werden</translation>
    </message>
</context>
<context>
    <name>EnvImportDialog</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>Import {count}</source>
        <translation>{count} importieren</translation>
    </message>
    <message>
        <source>Import {file}</source>
        <translation>{file} importieren</translation>
    </message>
    <message>
        <source>Secret</source>
        <translation>Geheimnis</translation>
    </message>
    <message>
        <source>Secrets of the file</source>
        <translation>Geheimnisse der Datei</translation>
    </message>
    <message>
        <source>The file sets nothing.</source>
        <translation>Die Datei legt nichts fest.</translation>
    </message>
    <message>
        <source>Those that are set already stay as they are unless you choose them.</source>
        <translation>Was schon festgelegt ist, bleibt, wie es ist, wenn Sie es nicht auswählen.</translation>
    </message>
    <message>
        <source>Used by</source>
        <translation>Benutzt von</translation>
    </message>
    <message>
        <source>Values are kept sealed, and each is given to the servers alone that ask for it.</source>
        <translation>Werte werden versiegelt aufgehoben, und jeder geht nur an die Server, die ihn verlangen.</translation>
    </message>
    <message>
        <source>What happens</source>
        <translation>Was geschieht</translation>
    </message>
    <message>
        <source>can&apos;t be stored: {reason}</source>
        <translation>lässt sich nicht aufheben: {reason}</translation>
    </message>
    <message>
        <source>is set</source>
        <translation>ist festgelegt</translation>
    </message>
    <message>
        <source>may stand for {names}</source>
        <translation>steht wohl für {names}</translation>
    </message>
    <message>
        <source>no server</source>
        <translation>kein Server</translation>
    </message>
    <message>
        <source>replaces what is set</source>
        <translation>ersetzt, was festgelegt ist</translation>
    </message>
</context>
<context>
    <name>Import</name>
    <message>
        <source>Can&apos;t be moved: {reason}</source>
        <translation>Kann nicht übernommen werden: {reason}</translation>
    </message>
    <message>
        <source>differs between clients</source>
        <translation>je nach Client verschieden</translation>
    </message>
</context>
<context>
    <name>ImportDialog</name>
    <message>
        <source>A client that is open may have to be started anew to notice.</source>
        <translation>Ein offener Client bemerkt es womöglich erst, wenn er neu gestartet wird.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Each client starts its own servers, with keys in plain text. Moved here they run once for all, their keys are kept encrypted, and in the client&apos;s file one entry for the gateway stands in their place.</source>
        <translation>Jeder Client startet seine eigenen Server, mit Schlüsseln im Klartext. Hierher übernommen laufen sie einmal für alle, ihre Schlüssel liegen verschlüsselt, und in der Datei des Clients steht an ihrer Stelle ein Eintrag für das Gateway.</translation>
    </message>
    <message>
        <source>Everything is as it was before the import.</source>
        <translation>Alles ist wie vor dem Import.</translation>
    </message>
    <message>
        <source>Import servers</source>
        <translation>Server importieren</translation>
    </message>
    <message>
        <source>Into the secret store: {names}</source>
        <translation>Zu den Geheimnissen: {names}</translation>
    </message>
    <message>
        <source>Looking at clients…</source>
        <translation>Clients werden angesehen…</translation>
    </message>
    <message>
        <source>Move</source>
        <translation>Übernehmen</translation>
    </message>
    <message>
        <source>Move {servers}</source>
        <translation>{servers} übernehmen</translation>
    </message>
    <message>
        <source>No client has servers of its own</source>
        <translation>Kein Client hat eigene Server</translation>
    </message>
    <message>
        <source>See what would be written, before anything is written</source>
        <translation>Ansehen, was geschrieben würde, bevor etwas geschrieben wird</translation>
    </message>
    <message>
        <source>Servers here: {names}</source>
        <translation>Server hier: {names}</translation>
    </message>
    <message>
        <source>Servers of clients</source>
        <translation>Server von Clients</translation>
    </message>
    <message>
        <source>Servers that Cursor, Claude, VS Code and others start by themselves appear here.</source>
        <translation>Server, die Cursor, Claude, VS Code und andere selbst starten, erscheinen hier.</translation>
    </message>
    <message>
        <source>Show change</source>
        <translation>Änderung zeigen</translation>
    </message>
    <message>
        <source>Show list</source>
        <translation>Liste zeigen</translation>
    </message>
    <message>
        <source>That did not work</source>
        <translation>Das hat nicht geklappt</translation>
    </message>
    <message>
        <source>Their keys are in the secret store now.</source>
        <translation>Ihre Schlüssel liegen jetzt bei den Geheimnissen.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Undo last import</source>
        <translation>Letzten Import rückgängig machen</translation>
    </message>
    <message>
        <source>What moving would write</source>
        <translation>Was das Übernehmen schreiben würde</translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation>{names} und {count} weitere</translation>
    </message>
    <message>
        <source>{servers} moved</source>
        <translation>{servers} übernommen</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Add a server…</source>
        <translation>Server hinzufügen…</translation>
    </message>
    <message>
        <source>And {count} more.</source>
        <translation>Und {count} weitere.</translation>
    </message>
    <message>
        <source>Close window</source>
        <translation>Fenster schließen</translation>
    </message>
    <message>
        <source>Copy URL</source>
        <translation>URL kopieren</translation>
    </message>
    <message>
        <source>Copy token</source>
        <translation>Token kopieren</translation>
    </message>
    <message>
        <source>Everything is paused.</source>
        <translation>Alles ist angehalten.</translation>
    </message>
    <message>
        <source>First steps…</source>
        <translation>Erste Schritte…</translation>
    </message>
    <message>
        <source>MCP Gateway</source>
        <translation>MCP Gateway</translation>
    </message>
    <message>
        <source>Pause all</source>
        <translation>Alles anhalten</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Servers are stopped and clients see no tools. What you turned on stays on.</source>
        <translation>Die Server sind beendet, und Clients sehen keine Tools. Was Sie eingeschaltet haben, bleibt es.</translation>
    </message>
    <message>
        <source>Turn off {title}</source>
        <translation>{title} ausschalten</translation>
    </message>
    <message>
        <source>Turn on {title}</source>
        <translation>{title} einschalten</translation>
    </message>
    <message>
        <source>action</source>
        <translation>Aktion</translation>
    </message>
    <message>
        <source>client</source>
        <translation>Client</translation>
    </message>
    <message>
        <source>place</source>
        <translation>Bereich</translation>
    </message>
    <message>
        <source>server</source>
        <translation>Server</translation>
    </message>
</context>
<context>
    <name>Notifications</name>
    <message>
        <source>Its tools stay listed, and work again after it. Open MCP Gateway to sign in.</source>
        <translation>Seine Tools bleiben sichtbar und arbeiten danach wieder. Öffnen Sie MCP Gateway, um sich anzumelden.</translation>
    </message>
    <message>
        <source>The entry is gone from its settings. Open MCP Gateway to connect it again.</source>
        <translation>Der Eintrag fehlt in seinen Einstellungen. Öffnen Sie MCP Gateway, um ihn neu zu verbinden.</translation>
    </message>
    <message>
        <source>{client} is no longer connected</source>
        <translation>{client} ist nicht mehr verbunden</translation>
    </message>
    <message>
        <source>{title} wants you to sign in again</source>
        <translation>{title} verlangt eine neue Anmeldung</translation>
    </message>
</context>
<context>
    <name>Offer</name>
    <message>
        <source>denied by policy</source>
        <translation>durch Richtlinie verboten</translation>
    </message>
    <message>
        <source>destructive</source>
        <translation>zerstörend</translation>
    </message>
    <message>
        <source>prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>read-only</source>
        <translation>nur lesend</translation>
    </message>
    <message>
        <source>resource</source>
        <translation>Ressource</translation>
    </message>
</context>
<context>
    <name>Outcome</name>
    <message>
        <source>cancelled</source>
        <translation>abgebrochen</translation>
    </message>
    <message>
        <source>error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>ok</translation>
    </message>
    <message>
        <source>tool error</source>
        <translation>Tool-Fehler</translation>
    </message>
</context>
<context>
    <name>Palette</name>
    <message>
        <source>Find anything</source>
        <translation>Alles finden</translation>
    </message>
    <message>
        <source>Servers, clients, places, actions</source>
        <translation>Server, Clients, Bereiche, Aktionen</translation>
    </message>
    <message>
        <source>What fits</source>
        <translation>Was passt</translation>
    </message>
</context>
<context>
    <name>Pane</name>
    <message>
        <source>Skip</source>
        <translation>Überspringen</translation>
    </message>
</context>
<context>
    <name>PassphraseDialog</name>
    <message>
        <source>Choose</source>
        <translation>Festlegen</translation>
    </message>
    <message>
        <source>Choose a passphrase</source>
        <translation>Passphrase festlegen</translation>
    </message>
    <message>
        <source>Once more</source>
        <translation>Noch einmal</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>Passphrase</translation>
    </message>
    <message>
        <source>The two passphrases differ.</source>
        <translation>Die beiden Passphrasen sind verschieden.</translation>
    </message>
    <message>
        <source>Unlock</source>
        <translation>Entsperren</translation>
    </message>
    <message>
        <source>Unlock your secrets</source>
        <translation>Ihre Geheimnisse entsperren</translation>
    </message>
    <message>
        <source>Your secrets are sealed with it. MCP Gateway asks for it at each start, and can&apos;t recover it.</source>
        <translation>Ihre Geheimnisse sind damit versiegelt. MCP Gateway fragt bei jedem Start danach und kann sie nicht wiederherstellen.</translation>
    </message>
    <message>
        <source>{count} characters at least</source>
        <translation>mindestens {count} Zeichen</translation>
    </message>
</context>
<context>
    <name>Places</name>
    <message>
        <source>Activity</source>
        <translation>Aktivität</translation>
    </message>
    <message>
        <source>Catalog</source>
        <translation>Katalog</translation>
    </message>
    <message>
        <source>Clients</source>
        <translation>Clients</translation>
    </message>
    <message>
        <source>Secrets</source>
        <translation>Geheimnisse</translation>
    </message>
    <message>
        <source>Servers</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
</context>
<context>
    <name>QuestionWindow</name>
    <message>
        <source>A client</source>
        <translation>Ein Client</translation>
    </message>
    <message>
        <source>Allow</source>
        <translation>Erlauben</translation>
    </message>
    <message>
        <source>Allow once</source>
        <translation>Einmal erlauben</translation>
    </message>
    <message>
        <source>Allow this session</source>
        <translation>Für diese Sitzung erlauben</translation>
    </message>
    <message>
        <source>Always allow</source>
        <translation>Immer erlauben</translation>
    </message>
    <message>
        <source>If you allow it, {title} may</source>
        <translation>Wenn Sie es erlauben, darf {title}</translation>
    </message>
    <message>
        <source>MCP Gateway asks you</source>
        <translation>MCP Gateway fragt Sie</translation>
    </message>
    <message>
        <source>More waiting: {count}.</source>
        <translation>Weitere warten: {count}.</translation>
    </message>
    <message>
        <source>Refuse</source>
        <translation>Ablehnen</translation>
    </message>
    <message>
        <source>Refused in {time}</source>
        <translation>Abgelehnt in {time}</translation>
    </message>
    <message>
        <source>Your answer is kept for exactly this, and changes nothing in your list of servers.</source>
        <translation>Ihre Antwort gilt genau hierfür und ändert nichts an Ihrer Liste der Server.</translation>
    </message>
    <message>
        <source>Your answer is kept for exactly this.</source>
        <translation>Ihre Antwort gilt genau hierfür.</translation>
    </message>
    <message>
        <source>Your policy says to ask. “Always” is kept for this tool, whatever it is called with.</source>
        <translation>Ihre Regeln verlangen eine Frage. „Immer“ gilt für dieses Tool, gleich womit es aufgerufen wird.</translation>
    </message>
    <message>
        <source>{asker} wants to call a tool of {title}</source>
        <translation>{asker} möchte ein Tool von {title} aufrufen</translation>
    </message>
    <message>
        <source>{asker} wants to use {title}</source>
        <translation>{asker} möchte {title} benutzen</translation>
    </message>
    <message>
        <source>{title} wants a folder of yours</source>
        <translation>{title} möchte einen Ihrer Ordner</translation>
    </message>
</context>
<context>
    <name>Scopes</name>
    <message>
        <source>add {what}</source>
        <translation>{what} hinzufügen</translation>
    </message>
    <message>
        <source>administer {what}</source>
        <translation>{what} verwalten</translation>
    </message>
    <message>
        <source>delete {what}</source>
        <translation>{what} löschen</translation>
    </message>
    <message>
        <source>know who you are</source>
        <translation>wissen, wer Sie sind</translation>
    </message>
    <message>
        <source>read and change {what}</source>
        <translation>{what} lesen und ändern</translation>
    </message>
    <message>
        <source>read {what}</source>
        <translation>{what} lesen</translation>
    </message>
    <message>
        <source>see your email address</source>
        <translation>Ihre E-Mail-Adresse sehen</translation>
    </message>
    <message>
        <source>see your name and picture</source>
        <translation>Ihren Namen und Ihr Bild sehen</translation>
    </message>
    <message>
        <source>send {what}</source>
        <translation>{what} senden</translation>
    </message>
    <message>
        <source>stay signed in</source>
        <translation>angemeldet bleiben</translation>
    </message>
</context>
<context>
    <name>SecretDetail</name>
    <message>
        <source>And {count} more.</source>
        <translation>Und {count} weitere.</translation>
    </message>
    <message>
        <source>Back to the secrets</source>
        <translation>Zurück zu den Geheimnissen</translation>
    </message>
    <message>
        <source>Kept in</source>
        <translation>Aufgehoben in</translation>
    </message>
    <message>
        <source>No server asks for it</source>
        <translation>Kein Server verlangt es</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Entfernen…</translation>
    </message>
    <message>
        <source>Replace…</source>
        <translation>Ersetzen…</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Festgelegt</translation>
    </message>
    <message>
        <source>Set…</source>
        <translation>Festlegen…</translation>
    </message>
    <message>
        <source>Show sign-in</source>
        <translation>Anmeldung zeigen</translation>
    </message>
    <message>
        <source>Used by</source>
        <translation>Benutzt von</translation>
    </message>
    <message>
        <source>Used by, and where to get it</source>
        <translation>Benutzt von, und woher man es bekommt</translation>
    </message>
    <message>
        <source>can do without</source>
        <translation>geht auch ohne</translation>
    </message>
    <message>
        <source>not known since when</source>
        <translation>unbekannt, seit wann</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>nicht festgelegt</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
</context>
<context>
    <name>SecretDialog</name>
    <message>
        <source>Add a secret</source>
        <translation>Geheimnis hinzufügen</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Only the servers that ask for it get it. It is never shown again.</source>
        <translation>Nur die Server, die es verlangen, bekommen es. Es wird nie wieder gezeigt.</translation>
    </message>
    <message>
        <source>Replace {name}</source>
        <translation>{name} ersetzen</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Set {name}</source>
        <translation>{name} festlegen</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>Wert</translation>
    </message>
    <message>
        <source>as servers ask for it, such as github.token</source>
        <translation>wie Server es verlangen, etwa github.token</translation>
    </message>
</context>
<context>
    <name>SecretList</name>
    <message>
        <source>Kept in</source>
        <translation>Aufgehoben in</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Festgelegt</translation>
    </message>
    <message>
        <source>Used by</source>
        <translation>Benutzt von</translation>
    </message>
    <message>
        <source>no server</source>
        <translation>kein Server</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>nicht festgelegt</translation>
    </message>
</context>
<context>
    <name>Secrets</name>
    <message>
        <source>.env file</source>
        <translation>.env-Datei</translation>
    </message>
    <message>
        <source>Kept until MCP Gateway ends.</source>
        <translation>Aufgehoben, bis MCP Gateway endet.</translation>
    </message>
    <message>
        <source>Sealed in a file whose key is in your system&apos;s keychain.</source>
        <translation>Versiegelt in einer Datei, deren Schlüssel im Schlüsselbund Ihres Systems liegt.</translation>
    </message>
    <message>
        <source>Sealed in a file with your passphrase.</source>
        <translation>Versiegelt in einer Datei mit Ihrer Passphrase.</translation>
    </message>
    <message>
        <source>another store</source>
        <translation>andere Ablage</translation>
    </message>
    <message>
        <source>keychain</source>
        <translation>Schlüsselbund</translation>
    </message>
    <message>
        <source>passphrase</source>
        <translation>Passphrase</translation>
    </message>
    <message>
        <source>sealed file</source>
        <translation>versiegelte Datei</translation>
    </message>
    <message>
        <source>sign-in to {app}</source>
        <translation>Anmeldung bei {app}</translation>
    </message>
    <message>
        <source>this session</source>
        <translation>diese Sitzung</translation>
    </message>
</context>
<context>
    <name>SecretsPage</name>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add a secret…</source>
        <translation>Geheimnis hinzufügen…</translation>
    </message>
    <message>
        <source>Import a .env file…</source>
        <translation>.env-Datei importieren…</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Search names and servers (Ctrl+F)</source>
        <translation>Namen und Server durchsuchen (Strg+F)</translation>
    </message>
    <message>
        <source>Search secrets and sign-ins</source>
        <translation>Geheimnisse und Anmeldungen durchsuchen</translation>
    </message>
    <message>
        <source>Secrets</source>
        <translation>Geheimnisse</translation>
    </message>
    <message>
        <source>Sign-ins</source>
        <translation>Anmeldungen</translation>
    </message>
</context>
<context>
    <name>SecretsTab</name>
    <message>
        <source>Add a secret…</source>
        <translation>Geheimnis hinzufügen…</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Choose a passphrase…</source>
        <translation>Passphrase festlegen…</translation>
    </message>
    <message>
        <source>Every server that is on has the secrets it needs.</source>
        <translation>Jeder eingeschaltete Server hat die Geheimnisse, die er braucht.</translation>
    </message>
    <message>
        <source>Import a .env file</source>
        <translation>.env-Datei importieren</translation>
    </message>
    <message>
        <source>Its value can&apos;t be brought back.</source>
        <translation>Sein Wert lässt sich nicht zurückholen.</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Looking for your secrets…</source>
        <translation>Ihre Geheimnisse werden gesucht…</translation>
    </message>
    <message>
        <source>Missing</source>
        <translation>Fehlend</translation>
    </message>
    <message>
        <source>No secrets yet</source>
        <translation>Noch keine Geheimnisse</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Nothing is missing</source>
        <translation>Nichts fehlt</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove a secret</source>
        <translation>Geheimnis entfernen</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>{name} entfernen?</translation>
    </message>
    <message>
        <source>Secrets</source>
        <translation>Geheimnisse</translation>
    </message>
    <message>
        <source>Secrets are kept for this session only.</source>
        <translation>Geheimnisse werden nur für diese Sitzung aufgehoben.</translation>
    </message>
    <message>
        <source>Servers that need one wait until you give the passphrase.</source>
        <translation>Server, die eines brauchen, warten, bis Sie die Passphrase angeben.</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>Alle zeigen</translation>
    </message>
    <message>
        <source>The keychain waits for its owner.</source>
        <translation>Der Schlüsselbund wartet auf seinen Besitzer.</translation>
    </message>
    <message>
        <source>There is no keychain here. With a passphrase they last.</source>
        <translation>Hier gibt es keinen Schlüsselbund. Mit einer Passphrase bleiben sie erhalten.</translation>
    </message>
    <message>
        <source>Tokens and keys that servers need are kept here, and never shown again.</source>
        <translation>Token und Schlüssel, die Server brauchen, werden hier aufgehoben und nie wieder gezeigt.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Unlock…</source>
        <translation>Entsperren…</translation>
    </message>
    <message>
        <source>Your secrets are locked.</source>
        <translation>Ihre Geheimnisse sind gesperrt.</translation>
    </message>
    <message>
        <source>Your system asks for the keychain&apos;s password, perhaps in a window behind this one.</source>
        <translation>Ihr System fragt nach dem Passwort des Schlüsselbunds, vielleicht in einem Fenster hinter diesem.</translation>
    </message>
    <message>
        <source>sign-in to GitHub</source>
        <translation>Anmeldung bei GitHub</translation>
    </message>
    <message>
        <source>{servers} can&apos;t run without it.</source>
        <translation>Nötig für {servers}.</translation>
    </message>
</context>
<context>
    <name>ServerDetail</name>
    <message>
        <source>Back to the list</source>
        <translation>Zurück zur Liste</translation>
    </message>
    <message>
        <source>Choose a server to see what it does.</source>
        <translation>Wählen Sie einen Server, um zu sehen, was er tut.</translation>
    </message>
    <message>
        <source>Logs</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Overview</source>
        <translation>Überblick</translation>
    </message>
    <message>
        <source>Permissions</source>
        <translation>Rechte</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Tools</translation>
    </message>
</context>
<context>
    <name>ServerKind</name>
    <message>
        <source>container</source>
        <translation>Container</translation>
    </message>
    <message>
        <source>package</source>
        <translation>Paket</translation>
    </message>
    <message>
        <source>remote</source>
        <translation>entfernt</translation>
    </message>
    <message>
        <source>tools in containers</source>
        <translation>Tools in Containern</translation>
    </message>
</context>
<context>
    <name>ServerList</name>
    <message>
        <source>on</source>
        <translation>an</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>ausgeschaltet</translation>
    </message>
</context>
<context>
    <name>ServerLogsTab</name>
    <message>
        <source>Copy messages</source>
        <translation>Meldungen kopieren</translation>
    </message>
    <message>
        <source>Export messages</source>
        <translation>Meldungen exportieren</translation>
    </message>
    <message>
        <source>Export messages…</source>
        <translation>Meldungen exportieren…</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Mitlaufen</translation>
    </message>
    <message>
        <source>Keep the newest lines in view</source>
        <translation>Die neuesten Zeilen im Blick behalten</translation>
    </message>
    <message>
        <source>Last messages of the server</source>
        <translation>Letzte Meldungen des Servers</translation>
    </message>
    <message>
        <source>Log files (*.log)</source>
        <translation>Protokolldateien (*.log)</translation>
    </message>
    <message>
        <source>Messages exported</source>
        <translation>Meldungen exportiert</translation>
    </message>
    <message>
        <source>No message has “{text}”.</source>
        <translation>Keine Meldung enthält „{text}“.</translation>
    </message>
    <message>
        <source>No messages</source>
        <translation>Keine Meldungen</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Search messages</source>
        <translation>Meldungen durchsuchen</translation>
    </message>
    <message>
        <source>The server wrote nothing yet.</source>
        <translation>Der Server hat noch nichts geschrieben.</translation>
    </message>
</context>
<context>
    <name>ServerOverviewTab</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Copy image and digest</source>
        <translation>Image und Digest kopieren</translation>
    </message>
    <message>
        <source>Digest</source>
        <translation>Digest</translation>
    </message>
    <message>
        <source>Have this server a second time, with secrets of its own</source>
        <translation>Diesen Server ein zweites Mal haben, mit eigenen Geheimnissen</translation>
    </message>
    <message>
        <source>How many instances of this server run</source>
        <translation>Wie viele Instanzen dieses Servers laufen</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>Image id</source>
        <translation>Image-ID</translation>
    </message>
    <message>
        <source>Its package will run as an ordinary program with your rights: it can read and change your files and use your network. A container would keep it apart from both.

Package: {source}</source>
        <translation>Sein Paket läuft dann als gewöhnliches Programm mit Ihren Rechten: Es kann Ihre Dateien lesen und ändern und Ihr Netzwerk benutzen. Ein Container würde es von beidem fernhalten.

Paket: {source}</translation>
    </message>
    <message>
        <source>Restart</source>
        <translation>Neu starten</translation>
    </message>
    <message>
        <source>Run without a container</source>
        <translation>Ohne Container ausführen</translation>
    </message>
    <message>
        <source>Run without a container…</source>
        <translation>Ohne Container ausführen…</translation>
    </message>
    <message>
        <source>Run {title} without a container?</source>
        <translation>{title} ohne Container ausführen?</translation>
    </message>
    <message>
        <source>Second account…</source>
        <translation>Zweites Konto…</translation>
    </message>
    <message>
        <source>Set…</source>
        <translation>Festlegen…</translation>
    </message>
    <message>
        <source>Turn off</source>
        <translation>Ausschalten</translation>
    </message>
    <message>
        <source>Turn on</source>
        <translation>Einschalten</translation>
    </message>
    <message>
        <source>Uses</source>
        <translation>Belegt</translation>
    </message>
    <message>
        <source>used {when}</source>
        <translation>benutzt um {when}</translation>
    </message>
    <message>
        <source>{share} % of a processor</source>
        <translation>{share} % eines Prozessors</translation>
    </message>
    <message>
        <source>{size} memory</source>
        <translation>{size} Speicher</translation>
    </message>
</context>
<context>
    <name>ServerPermissionsTab</name>
    <message>
        <source>End calls that take longer than</source>
        <translation>Aufrufe beenden, die länger dauern als</translation>
    </message>
    <message>
        <source>It may</source>
        <translation>Er darf</translation>
    </message>
    <message>
        <source>No rule concerns this server.</source>
        <translation>Keine Regel betrifft diesen Server.</translation>
    </message>
    <message>
        <source>Nothing was asked.</source>
        <translation>Es wurde nichts gefragt.</translation>
    </message>
    <message>
        <source>Policy</source>
        <translation>Richtlinie</translation>
    </message>
    <message>
        <source>Seconds a call may take</source>
        <translation>Sekunden, die ein Aufruf dauern darf</translation>
    </message>
    <message>
        <source>Take back</source>
        <translation>Zurücknehmen</translation>
    </message>
    <message>
        <source>Take back: {what}</source>
        <translation>Zurücknehmen: {what}</translation>
    </message>
    <message>
        <source>Time limit</source>
        <translation>Zeitgrenze</translation>
    </message>
    <message>
        <source>Whoever can use Docker on this computer sees its secrets with docker inspect.</source>
        <translation>Wer auf diesem Computer Docker benutzen kann, sieht seine Geheimnisse mit docker inspect.</translation>
    </message>
    <message>
        <source>You agreed that it may</source>
        <translation>Sie haben zugestimmt, dass er dies darf</translation>
    </message>
    <message>
        <source>s</source>
        <translation>s</translation>
    </message>
    <message>
        <source>since {when}</source>
        <translation>seit {when}</translation>
    </message>
</context>
<context>
    <name>ServerSettings</name>
    <message>
        <source>not set</source>
        <translation>nicht festgelegt</translation>
    </message>
    <message>
        <source>one a line</source>
        <translation>je Zeile eins</translation>
    </message>
    <message>
        <source>required</source>
        <translation>erforderlich</translation>
    </message>
</context>
<context>
    <name>ServerSettingsDialog</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Kept encrypted on this computer, given to this server alone, never shown again.</source>
        <translation>Verschlüsselt auf diesem Computer aufgehoben, nur an diesen Server gegeben, nie wieder gezeigt.</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Secrets</source>
        <translation>Geheimnisse</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Settings of {title}</source>
        <translation>Einstellungen von {title}</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Show what was typed</source>
        <translation>Zeigen, was getippt wurde</translation>
    </message>
    <message>
        <source>There is nothing to set for this server.</source>
        <translation>Bei diesem Server gibt es nichts einzustellen.</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>nicht festgelegt</translation>
    </message>
    <message>
        <source>required</source>
        <translation>erforderlich</translation>
    </message>
    <message>
        <source>set; type to replace it</source>
        <translation>festgelegt; zum Ersetzen tippen</translation>
    </message>
</context>
<context>
    <name>ServerSettingsTab</name>
    <message>
        <source>Change…</source>
        <translation>Ändern…</translation>
    </message>
    <message>
        <source>Secrets</source>
        <translation>Geheimnisse</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>There is nothing to set for this server.</source>
        <translation>Für diesen Server gibt es nichts festzulegen.</translation>
    </message>
    <message>
        <source>not set</source>
        <translation>nicht festgelegt</translation>
    </message>
    <message>
        <source>not set, not needed</source>
        <translation>nicht festgelegt, nicht nötig</translation>
    </message>
    <message>
        <source>set</source>
        <translation>festgelegt</translation>
    </message>
</context>
<context>
    <name>ServerState</name>
    <message>
        <source>failing</source>
        <translation>gestört</translation>
    </message>
    <message>
        <source>idle</source>
        <translation>ruht</translation>
    </message>
    <message>
        <source>needs setting</source>
        <translation>Einstellung fehlt</translation>
    </message>
    <message>
        <source>needs sign-in</source>
        <translation>Anmeldung nötig</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
    <message>
        <source>ready</source>
        <translation>bereit</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>startet</translation>
    </message>
</context>
<context>
    <name>ServerToolsTab</name>
    <message>
        <source>All off</source>
        <translation>Alle aus</translation>
    </message>
    <message>
        <source>All on</source>
        <translation>Alle ein</translation>
    </message>
    <message>
        <source>No tool matches “{text}”.</source>
        <translation>Kein Tool passt zu „{text}“.</translation>
    </message>
    <message>
        <source>No tools known yet</source>
        <translation>Noch keine Tools bekannt</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Search tools</source>
        <translation>Tools durchsuchen</translation>
    </message>
    <message>
        <source>They are listed when the server has run once.</source>
        <translation>Sie werden aufgeführt, wenn der Server einmal gelaufen ist.</translation>
    </message>
    <message>
        <source>Tools, prompts and resources</source>
        <translation>Tools, Prompts und Ressourcen</translation>
    </message>
    <message>
        <source>as its catalog says</source>
        <translation>laut seinem Katalog</translation>
    </message>
    <message>
        <source>{on} of {tools}</source>
        <translation>{on} von {tools}</translation>
    </message>
</context>
<context>
    <name>ServersPage</name>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>All is well</source>
        <translation>Alles in Ordnung</translation>
    </message>
    <message>
        <source>Clear search</source>
        <translation>Suche leeren</translation>
    </message>
    <message>
        <source>Needs attention</source>
        <translation>Braucht Sie</translation>
    </message>
    <message>
        <source>No server is on</source>
        <translation>Kein Server ist an</translation>
    </message>
    <message>
        <source>No server matches “{text}”.</source>
        <translation>Kein Server passt zu „{text}“.</translation>
    </message>
    <message>
        <source>No server needs your attention.</source>
        <translation>Kein Server braucht Sie.</translation>
    </message>
    <message>
        <source>No servers yet</source>
        <translation>Noch keine Server</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>On</source>
        <translation>An</translation>
    </message>
    <message>
        <source>Search servers</source>
        <translation>Server durchsuchen</translation>
    </message>
    <message>
        <source>Search servers (Ctrl+F)</source>
        <translation>Server durchsuchen (Strg+F)</translation>
    </message>
    <message>
        <source>Servers</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Servers appear here in a moment.</source>
        <translation>Die Server erscheinen gleich hier.</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>Alle zeigen</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet…</translation>
    </message>
    <message>
        <source>Stopping servers…</source>
        <translation>Server werden beendet…</translation>
    </message>
    <message>
        <source>The catalogs on this computer list no servers.</source>
        <translation>Die Kataloge auf diesem Computer enthalten keine Server.</translation>
    </message>
    <message>
        <source>Turn on a server, and clients see its tools at once.</source>
        <translation>Schalten Sie einen Server ein, und Clients sehen sofort seine Tools.</translation>
    </message>
</context>
<context>
    <name>ServersPane</name>
    <message>
        <source>Looking through the catalogs…</source>
        <translation>Die Kataloge werden durchgesehen…</translation>
    </message>
    <message>
        <source>No server here runs without a key or an engine.</source>
        <translation>Kein Server läuft hier ohne Schlüssel oder Engine.</translation>
    </message>
    <message>
        <source>Nothing to begin with</source>
        <translation>Nichts für den Anfang</translation>
    </message>
    <message>
        <source>Pick servers</source>
        <translation>Server auswählen</translation>
    </message>
    <message>
        <source>Servers to begin with</source>
        <translation>Server für den Anfang</translation>
    </message>
    <message>
        <source>Show all servers</source>
        <translation>Alle Server zeigen</translation>
    </message>
    <message>
        <source>These need no key and no account. What you switch on is there for every client at once.</source>
        <translation>Diese brauchen weder Schlüssel noch Konto. Was Sie einschalten, steht jedem Client sofort zur Verfügung.</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>A call with a secret in it</source>
        <translation>Ein Aufruf mit einem Geheimnis darin</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Über</translation>
    </message>
    <message>
        <source>Activity</source>
        <translation>Aktivität</translation>
    </message>
    <message>
        <source>Another language is used from the next start on.</source>
        <translation>Eine andere Sprache gilt ab dem nächsten Start.</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Bearer token for clients you set up yourself</source>
        <translation>Bearer-Token für Clients, die Sie selbst einrichten</translation>
    </message>
    <message>
        <source>Connected clients keep the old one in their files until they are connected again.</source>
        <translation>Verbundene Clients behalten den alten in ihren Dateien, bis sie neu verbunden werden.</translation>
    </message>
    <message>
        <source>Copy token</source>
        <translation>Token kopieren</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Daten</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>Tage</translation>
    </message>
    <message>
        <source>Gateway</source>
        <translation>Gateway</translation>
    </message>
    <message>
        <source>General</source>
        <translation>Allgemein</translation>
    </message>
    <message>
        <source>In the tray, without a window</source>
        <translation>Im Infobereich, ohne Fenster</translation>
    </message>
    <message>
        <source>Keep calls</source>
        <translation>Aufrufe aufheben</translation>
    </message>
    <message>
        <source>Keys of known services, and the secrets you have stored, are found in arguments and results.</source>
        <translation>Schlüssel bekannter Dienste und die Geheimnisse, die Sie hinterlegt haben, werden in Argumenten und Ergebnissen gefunden.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Aussehen</translation>
    </message>
    <message>
        <source>MCP Gateway {version} · Python {python}</source>
        <translation>MCP Gateway {version} · Python {python}</translation>
    </message>
    <message>
        <source>Of this program alone</source>
        <translation>Nur von diesem Programm</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>Port</translation>
    </message>
    <message>
        <source>Secrets in calls</source>
        <translation>Geheimnisse in Aufrufen</translation>
    </message>
    <message>
        <source>Servers that run at once, at most</source>
        <translation>Server, die höchstens zugleich laufen</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Shared with Docker&apos;s gateway</source>
        <translation>Gemeinsam mit Dockers Gateway</translation>
    </message>
    <message>
        <source>Start at login</source>
        <translation>Beim Anmelden starten</translation>
    </message>
    <message>
        <source>Starting at login could not be changed</source>
        <translation>Das Starten beim Anmelden ließ sich nicht ändern</translation>
    </message>
    <message>
        <source>With arguments and results</source>
        <translation>Mit Argumenten und Ergebnissen</translation>
    </message>
    <message>
        <source>fails</source>
        <translation>schlägt fehl</translation>
    </message>
    <message>
        <source>goes on</source>
        <translation>läuft weiter</translation>
    </message>
    <message>
        <source>goes on without the secret</source>
        <translation>läuft ohne das Geheimnis weiter</translation>
    </message>
</context>
<context>
    <name>Sharing</name>
    <message>
        <source>per call</source>
        <translation>je Aufruf</translation>
    </message>
    <message>
        <source>per call: each call gets a fresh one</source>
        <translation>je Aufruf: jeder Aufruf bekommt eine neue</translation>
    </message>
    <message>
        <source>per client</source>
        <translation>je Client</translation>
    </message>
    <message>
        <source>per client: each client has its own</source>
        <translation>je Client: jeder Client hat eine eigene</translation>
    </message>
    <message>
        <source>shared</source>
        <translation>gemeinsam</translation>
    </message>
    <message>
        <source>shared: one instance for all clients</source>
        <translation>gemeinsam: eine Instanz für alle Clients</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Look for the container engine again</source>
        <translation>Noch einmal nach der Container-Engine suchen</translation>
    </message>
    <message>
        <source>MCP Gateway</source>
        <translation>MCP Gateway</translation>
    </message>
    <message>
        <source>Menu</source>
        <translation>Menü</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>{place} (Ctrl+{number})</source>
        <translation>{place} (Strg+{number})</translation>
    </message>
</context>
<context>
    <name>SignInDetail</name>
    <message>
        <source>Back to the sign-ins</source>
        <translation>Zurück zu den Anmeldungen</translation>
    </message>
    <message>
        <source>Renewed</source>
        <translation>Erneuert</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Used by</source>
        <translation>Benutzt von</translation>
    </message>
    <message>
        <source>by itself before {time}</source>
        <translation>von selbst vor {time}</translation>
    </message>
    <message>
        <source>no server that is known</source>
        <translation>kein bekannter Server</translation>
    </message>
</context>
<context>
    <name>SignInList</name>
    <message>
        <source>Signed in to</source>
        <translation>Angemeldet bei</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Used by</source>
        <translation>Benutzt von</translation>
    </message>
    <message>
        <source>wants more</source>
        <translation>möchte mehr</translation>
    </message>
</context>
<context>
    <name>SignInPanel</name>
    <message>
        <source>Address the browser ended at</source>
        <translation>Adresse, bei der der Browser endete</translation>
    </message>
    <message>
        <source>Allow more…</source>
        <translation>Mehr erlauben…</translation>
    </message>
    <message>
        <source>Asking {title} how to sign in…</source>
        <translation>{title} wird gefragt, wie man sich anmeldet…</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Code {code}</source>
        <translation>Code {code}</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>Code kopieren</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>Link kopieren</translation>
    </message>
    <message>
        <source>Finish</source>
        <translation>Abschließen</translation>
    </message>
    <message>
        <source>Finish signing in to {title} in your browser.</source>
        <translation>Schließen Sie die Anmeldung bei {title} im Browser ab.</translation>
    </message>
    <message>
        <source>For a browser on another machine, which ends at a page it can&apos;t open</source>
        <translation>Für einen Browser auf einem anderen Rechner, der bei einer Seite endet, die er nicht öffnen kann</translation>
    </message>
    <message>
        <source>For a browser other than the one that was opened</source>
        <translation>Für einen anderen Browser als den geöffneten</translation>
    </message>
    <message>
        <source>It asks to: {scopes}</source>
        <translation>Er möchte: {scopes}</translation>
    </message>
    <message>
        <source>It may: {scopes}</source>
        <translation>Er darf: {scopes}</translation>
    </message>
    <message>
        <source>Paste the address…</source>
        <translation>Adresse einfügen…</translation>
    </message>
    <message>
        <source>Sign in…</source>
        <translation>Anmelden…</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>Abmelden</translation>
    </message>
    <message>
        <source>Take the access back, at the provider as well</source>
        <translation>Den Zugriff zurücknehmen, auch beim Anbieter</translation>
    </message>
    <message>
        <source>Type this code on the page of {title} that opens:</source>
        <translation>Geben Sie diesen Code auf der Seite von {title} ein, die sich öffnet:</translation>
    </message>
    <message>
        <source>You are signed in to {title}.</source>
        <translation>Sie sind bei {title} angemeldet.</translation>
    </message>
    <message>
        <source>Your browser opens, and you come back here by yourself.</source>
        <translation>Ihr Browser öffnet sich, und danach kommen Sie von selbst hierher zurück.</translation>
    </message>
    <message>
        <source>{title} wants you to allow more.</source>
        <translation>{title} bittet um mehr Erlaubnis.</translation>
    </message>
</context>
<context>
    <name>SignInState</name>
    <message>
        <source>needs sign-in</source>
        <translation>Anmeldung nötig</translation>
    </message>
    <message>
        <source>not signed in</source>
        <translation>nicht angemeldet</translation>
    </message>
    <message>
        <source>signed in</source>
        <translation>angemeldet</translation>
    </message>
    <message>
        <source>signing in</source>
        <translation>Anmeldung läuft</translation>
    </message>
</context>
<context>
    <name>SignInsTab</name>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
    <message>
        <source>Nothing to sign in to</source>
        <translation>Nichts zum Anmelden</translation>
    </message>
    <message>
        <source>Services that ask for a sign-in appear here once a server that uses one is on.</source>
        <translation>Dienste mit Anmeldung erscheinen hier, sobald ein Server an ist, der einen benutzt.</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>Alle zeigen</translation>
    </message>
    <message>
        <source>Sign-ins</source>
        <translation>Anmeldungen</translation>
    </message>
</context>
<context>
    <name>SplitPage</name>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy URL or token</source>
        <translation>URL oder Token kopieren</translation>
    </message>
    <message>
        <source>Not listening</source>
        <translation>Nicht erreichbar</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet…</translation>
    </message>
    <message>
        <source>Stopping servers…</source>
        <translation>Server werden beendet…</translation>
    </message>
</context>
<context>
    <name>Tray</name>
    <message>
        <source>paused</source>
        <translation>angehalten</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>startet</translation>
    </message>
    <message>
        <source>stopping servers</source>
        <translation>Server werden beendet</translation>
    </message>
</context>
<context>
    <name>TrayApplication</name>
    <message>
        <source>Clients keep their tools. Open or quit MCP Gateway from its icon in the tray.</source>
        <translation>Clients behalten ihre Tools. Öffnen oder beenden Sie MCP Gateway über sein Symbol im Infobereich.</translation>
    </message>
    <message>
        <source>MCP Gateway asks you whether to allow it.</source>
        <translation>MCP Gateway fragt Sie, ob das erlaubt sein soll.</translation>
    </message>
    <message>
        <source>MCP Gateway could not start</source>
        <translation>MCP Gateway konnte nicht starten</translation>
    </message>
    <message>
        <source>MCP Gateway keeps running</source>
        <translation>MCP Gateway läuft weiter</translation>
    </message>
    <message>
        <source>That did not work</source>
        <translation>Das hat nicht geklappt</translation>
    </message>
    <message>
        <source>The log tells what happened.</source>
        <translation>Was geschehen ist, steht im Protokoll.</translation>
    </message>
</context>
<context>
    <name>TrayMenu</name>
    <message>
        <source>All servers…</source>
        <translation>Alle Server…</translation>
    </message>
    <message>
        <source>Calls running ({count})</source>
        <translation>Laufende Aufrufe ({count})</translation>
    </message>
    <message>
        <source>Cancel {tool}</source>
        <translation>{tool} abbrechen</translation>
    </message>
    <message>
        <source>Clients</source>
        <translation>Clients</translation>
    </message>
    <message>
        <source>Connect a client…</source>
        <translation>Client verbinden…</translation>
    </message>
    <message>
        <source>More servers</source>
        <translation>Weitere Server</translation>
    </message>
    <message>
        <source>Open MCP Gateway</source>
        <translation>MCP Gateway öffnen</translation>
    </message>
    <message>
        <source>Pause all</source>
        <translation>Alles anhalten</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Einstellungen…</translation>
    </message>
    <message>
        <source>Sign in to {title}…</source>
        <translation>Bei {title} anmelden…</translation>
    </message>
    <message>
        <source>Signing in to {title}…</source>
        <translation>Anmeldung bei {title}…</translation>
    </message>
    <message>
        <source>{title} is failing…</source>
        <translation>{title} ist gestört…</translation>
    </message>
    <message>
        <source>{title} needs a setting…</source>
        <translation>{title} braucht eine Einstellung…</translation>
    </message>
    <message>
        <source>{trouble} — Retry</source>
        <translation>{trouble} – erneut versuchen</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Close; the window&apos;s menu has the first steps again</source>
        <translation>Schließen; im Menü des Fensters gibt es die ersten Schritte wieder</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>Erste Schritte</translation>
    </message>
    <message>
        <source>Skip all</source>
        <translation>Alles überspringen</translation>
    </message>
    <message>
        <source>Step {step} of {count}</source>
        <translation>Schritt {step} von {count}</translation>
    </message>
</context>
<context>
    <name>_Counts</name>
    <message numerus="yes">
        <source>%n call(s) running</source>
        <translation>
            <numerusform>%n Aufruf läuft</numerusform>
            <numerusform>%n Aufrufe laufen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n client(s)</source>
        <translation>
            <numerusform>%n Client</numerusform>
            <numerusform>%n Clients</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n container(s)</source>
        <translation>
            <numerusform>%n Container</numerusform>
            <numerusform>%n Container</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n key(s) in plain text</source>
        <translation>
            <numerusform>%n Schlüssel im Klartext</numerusform>
            <numerusform>%n Schlüssel im Klartext</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n prompt(s)</source>
        <translation>
            <numerusform>%n Prompt</numerusform>
            <numerusform>%n Prompts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n resource(s)</source>
        <translation>
            <numerusform>%n Ressource</numerusform>
            <numerusform>%n Ressourcen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n server(s)</source>
        <translation>
            <numerusform>%n Server</numerusform>
            <numerusform>%n Server</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n tool(s)</source>
        <translation>
            <numerusform>%n Tool</numerusform>
            <numerusform>%n Tools</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n waiting for you</source>
        <translation>
            <numerusform>%n wartet auf Sie</numerusform>
            <numerusform>%n warten auf Sie</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about %n token(s)</source>
        <translation>
            <numerusform>etwa %n Token</numerusform>
            <numerusform>etwa %n Tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>in %n client(s)</source>
        <translation>
            <numerusform>in %n Client</numerusform>
            <numerusform>in %n Clients</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>_SecretiveDialog</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Show what was typed</source>
        <translation>Zeigen, was getippt wurde</translation>
    </message>
</context>
</TS>
