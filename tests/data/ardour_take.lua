-- Record one take in Ardour 7 without a window, on two MIDI tracks: “Keyboard” and “Answers”.
--
-- ardour7-lua ardour_take.lua FOLDER
--
-- FOLDER is where the new session goes. It says “ready” when the tracks are there to be connected, then waits for a line
-- (press Enter), says “recording” when it does, records until the next line, and says where it saved what:
-- “take TRACK FILE”.

io.stdout:setvbuf("no")  -- whoever waits for our words through a pipe gets them at once

local function wait_until(what, holds)
	for _ = 1, 1000 do
		if holds() then return end
		ARDOUR.LuaAPI.usleep(20000)
	end
	print("gave up: not " .. what .. " within 20 s")
	os.exit(1)
end

-- What two threads of Ardour ask of JACK at once gets mixed up in their one socket, and JACK then drops Ardour. So let
-- its own thread “autoconnect” finish with a new session or track before we ask for more. Nothing says when it has.
local function let_ardour_connect()
	ARDOUR.LuaAPI.usleep(700000)
end

local function new_midi_track(session, name)
	local one = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
	local instrument, group, preset = ARDOUR.PluginInfo(), nil, nil
	local track = session:new_midi_track(one, one, true, instrument, group, preset, 1, name,
		ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true):front()
	let_ardour_connect()
	local armed = track:rec_enable_control()
	armed:set_value(1, PBD.GroupControlDisposition.NoGroup)
	wait_until(name .. " armed", function() return armed:get_value() == 1 end)
	return track
end

AudioEngine:set_backend("JACK", "ardour", "")
local session = create_session(arg[1], "take", 48000)
assert(session, "no session in " .. arg[1])
let_ardour_connect()
local tracks = { Keyboard = new_midi_track(session, "Keyboard"), Answers = new_midi_track(session, "Answers") }
print("ready")
io.read()

session:maybe_enable_record()
session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
-- It says that it records a little before it does, and loses what comes in until then.
wait_until("recording", function() return session:actively_recording() and session:transport_sample() > 12000 end)
print("recording")
io.read()

session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
for name, track in pairs(tracks) do
	local function regions() return track:to_track():playlist():region_list() end
	wait_until("a take on " .. name, function() return regions():size() > 0 end)
	for region in regions():iter() do
		print("take " .. name .. " " .. region:source(0):to_filesource():path())
	end
end
session:save_state("", false, false, false, false, false)
close_session()
quit()
