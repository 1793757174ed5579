"""A small grammar of things people say to each other and to a phone, for speech that prose does not cover."""

import re

import numpy as np

ONES = re.findall(
    r"\w+",
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen
    """,
)
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spell_number(number: int) -> str:
    """English words for 0 <= number < 1,000,000, without "and": 4207 -> four thousand two hundred seven."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens - 2] + (f"-{ONES[ones]}" if ones else "")
    unit, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    count, rest = divmod(number, unit)
    return f"{spell_number(count)} {name}" + (f" {spell_number(rest)}" if rest else "")


def everyday_sentence(rng: np.random.Generator) -> str:
    """One utterance of 1-25 words, cased and punctuated, its numbers spelled out."""
    sentence = _expand("{utterance}", rng)
    sentence = re.sub(r"\b([Aa]) (?=[aeiou])(?!one\b|uni|use|euro)", r"\1n ", sentence)
    return re.sub(r"(^|[.?] )([a-z])", lambda match: match[1] + match[2].upper(), sentence)


def plural(noun: str) -> str:
    """Regular plurals, and those of leaf and knife."""
    if re.search("(s|x|z|ch|sh)$", noun):
        return f"{noun}es"
    if re.search("[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return re.sub("(?<=ea|ni|el|ar)(f|fe)$", "ve", noun) + "s"


def _expand(pattern: str, rng: np.random.Generator) -> str:
    """Replace `{symbol}` by a draw of it, and `{symbol}s` by the plural of one."""

    def draw(match: re.Match[str]) -> str:
        drawn = _symbol(match[1], rng)
        return plural(drawn) if match[2] else drawn

    return re.sub(r"\{(\w+)\}(s\b)?", draw, pattern)


def _symbol(name: str, rng: np.random.Generator) -> str:
    match name:
        case "number":
            return spell_number(int(10 ** rng.uniform(0.3, 4)))
        case "small":
            return spell_number(int(rng.integers(2, 13)))
        case "count":
            return spell_number(int(rng.integers(2, 100)))
        case "digits":
            return " ".join(ONES[digit] for digit in rng.integers(0, 10, rng.integers(1, 9)))
        case "year":
            century, rest = divmod(int(rng.integers(1800, 2030)), 100)
            years = "hundred" if rest == 0 else f"oh {ONES[rest]}" if rest < 10 else spell_number(rest)
            return f"{spell_number(century)} {years}"
        case "letters":
            return " ".join(rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), rng.integers(2, 5)))
        case _:
            options = GRAMMAR[name]
            return _expand(options[rng.integers(len(options))], rng)


def _options(text: str) -> tuple[str, ...]:
    """Alternatives written one a line, or several on a line between bars."""
    return tuple(option.strip() for line in text.strip().splitlines() for option in line.split("|"))


GRAMMAR = {
    name: _options(text)
    for name, text in {
        "utterance": """
            {statement}. | {statement}. | {statement}. | {statement}, {joiner} {clause}.
            {joiner} {clause}, {clause}. | {question}? | {question}? | {command}. | {command}.
            {opener}, {command}. | {opener}, {question}? | {request}. | {order}. | {order}. | {reply}.
            {reply}. {statement}. | {numeric}. | {numeric}. | {digits}. | {narrative}. | {narrative}.
            {narrative}. | {opinion}. | {opinion}. | {direction}. | {instruction}. | {weather}. | {call}.
            {sound}. | {sound}. | {single}. | {story}. | {story}. | {work}. | {health}.
            """,
        "opener": """
            hey | okay | please | excuse me | listen | well | look | sorry | hello | so | alright | {name}
            actually
            """,
        "joiner": """
            because | but | and | so | although | while | when | before | after | even though | unless
            until
            """,
        "statement": """
            {clause} | {clause} {when} | {clause} {where} | I think {clause} | I'm pretty sure {clause}
            {name} told me that {clause} | {name} said {clause} | it looks like {clause} | maybe {clause}
            there's a {adjective} {thing} {where} | there are {small} {animal}s {where}
            that's not my {thing} | I can't find my {thing} | I left the {thing} {where}
            we're running out of {food} | it's almost {time}
            the {thing} is {adjective} and the {thing} is {adjective} | this {thing} belongs to {name}
            my {relative} works as a {job} {where} | I've never seen such a {adjective} {animal}
            """,
        "clause": """
            {person} {past} the {thing} | {person} {past} a {adjective} {thing} | {person} went to {place}
            {person} {past} {person_object} {where} | {person} wanted to {verb} the {thing}
            the {thing} was {adjective} | {person} could not {verb} the {thing}
            {person} had to {verb} {small} {thing}s | we were late for the {event}
            {person} forgot about the {event} | the {job} {past} the {thing}
            the {animal} {past} the {thing} | {person} will {verb} the {thing} {when}
            they're going to {place} {when} | she used to be a {job}
            he's looking for a {adjective} {thing} | nobody {past} the {adjective} {thing}
            I'd rather {activity} | everyone enjoyed the {event} | the {event} starts at {time}
            it took {count} minutes to {activity} | {person} bought {small} {thing}s and a {thing}
            {person} loves to {activity} | the {place_noun} was closed
            """,
        "person": """
            I | we | they | she | he | you | {name} | my {relative} | his {relative} | her {relative}
            our {job} | the {job} | someone | {name} and {name} | the {adjective} {job} | my friend {name}
            their {relative}
            """,
        "person_object": """
            me | us | them | her | him | {name} | my {relative} | the {job} | the {animal} | your {relative}
            """,
        "name": """
            James | Mary | Robert | Patricia | John | Jennifer | Michael | Linda | David | Elizabeth
            William | Barbara | Susan | Joseph | Jessica | Thomas | Sarah | Charles | Karen | Daniel | Nancy
            Matthew | Lisa | Anthony | Betty | Mark | Sandra | Steven | Ashley | Paul | Emily | Andrew
            Donna | Kevin | Michelle | Brian | Carol | George | Amanda | Edward | Melissa | Ronald | Deborah
            Timothy | Laura | Jason | Rebecca | Jacob | Helen | Ryan | Amy | Gary | Anna | Nicholas | Ruth
            Eric | Maria | Peter | Heather | Alice | Julia | Grace | Victor | Martin | Sophie | Oliver
            Hannah | Lucas | Emma | Noah | Olivia | Liam | Ava | Ethan | Mia | Aaron | Ella | Simon | Rachel
            Tom | Kate | Sam | Ben | Jack | Rose | Henry | Lily | Max | Zoe | Leo | Nora | Hugo | Iris
            Mister Brown | Missus Taylor | Doctor Wilson | Miss Clark | Uncle Bob | Aunt Jane
            Professor Green
            """,
        "relative": """
            mother | father | sister | brother | uncle | aunt | cousin | grandmother | grandfather | son
            daughter | wife | husband | neighbor | boss | roommate | nephew | niece | best friend | teacher
            mom | dad | twin brother
            """,
        "job": """
            doctor | nurse | teacher | driver | farmer | baker | carpenter | lawyer | pilot | waiter
            plumber | painter | engineer | musician | librarian | mechanic | police officer | firefighter
            student | singer | manager | judge | gardener | fisherman | tailor | journalist | photographer
            dentist | scientist | sailor | soldier | actor | cashier | barber | electrician | architect
            accountant | author | butcher | clerk | coach | guard | chef
            """,
        "animal": """
            dog | cat | horse | cow | pig | goat | rabbit | bird | duck | chicken | monkey | elephant | lion
            tiger | bear | snake | turtle | squirrel | spider | whale | dolphin | frog | owl | eagle
            donkey | kitten | puppy | parrot | crow | rooster | bee | cricket | camel | fox | hamster
            lizard | pigeon | penguin | seal | swan | zebra
            """,
        "thing": """
            phone | key | book | table | chair | car | bicycle | letter | picture | window | door | lamp
            jacket | hat | shoe | bag | box | bottle | cup | plate | knife | spoon | clock | watch | camera
            computer | radio | guitar | piano | umbrella | ticket | map | bed | blanket | pillow | mirror
            shirt | dress | suitcase | wallet | ring | hammer | ladder | bucket | rope | candle | basket
            newspaper | magazine | card | ball | kite | drum | violin | boat | truck | train | airplane
            bridge | fence | wall | roof | garden | stone | stick | leaf | flower | tree | report | contract
            password | message | receipt | photograph | battery | charger | keyboard | printer | screen
            engine | wheel | brake | mailbox | package | envelope | stamp | pencil | notebook | calendar
            backpack | coat | glove | scarf | sweater | button | needle | curtain | carpet | sofa | drawer
            shelf | oven | kettle | towel | soap | toothbrush | medicine | bandage | thermometer
            flashlight | tent | fishing rod | helmet | trumpet
            """,
        "food": """
            bread | butter | cheese | milk | coffee | tea | sugar | salt | rice | pasta | soup | salad
            chicken | beef | fish | apple juice | orange juice | water | chocolate | ice cream | cake
            cookies | eggs | bacon | potatoes | tomatoes | onions | carrots | garlic | pepper | honey | jam
            yogurt | cereal | bananas | strawberries | grapes | lemons | mushrooms | beans | corn
            peanut butter | olive oil | flour | popcorn | pizza | sandwiches | noodles | pancakes
            """,
        "adjective": """
            big | small | old | new | red | blue | green | yellow | black | white | broken | beautiful
            strange | heavy | light | expensive | cheap | dirty | clean | empty | full | warm | cold | hot
            wet | dry | quiet | loud | soft | hard | sharp | tiny | huge | round | square | wooden | golden
            silver | dark | bright | fresh | sweet | bitter | lovely | terrible | wonderful | dangerous
            safe | famous | friendly | angry | lonely | hungry | tired | lazy | clever | curious | perfect
            simple | difficult | important | useful | interesting | boring | modern | ancient | early
            sudden | purple | orange | brown | gray | thick | thin | narrow | wide | deep | shallow | smooth
            rough | rotten | rare
            """,
        "verb": """
            find | fix | sell | buy | carry | open | close | break | paint | clean | move | hide | show
            bring | borrow | lend | lose | send | check | draw | describe | throw | catch | build | cut
            wash | hold | drop | lift | push | pull | keep | use | steal | return | measure | replace
            remember | ignore | examine | wrap | weigh | repair | order | choose
            """,
        "past": """
            found | fixed | sold | bought | carried | opened | closed | broke | painted | cleaned | moved
            hid | showed | brought | borrowed | lost | sent | checked | drew | described | threw | caught
            built | watched | washed | held | dropped | lifted | pushed | pulled | kept | used | stole
            returned | measured | replaced | remembered | noticed | ignored | followed | liked | needed
            wanted | saw | heard | missed | touched | left | chose | hated | forgot
            """,
        "activity": """
            read a book | watch a movie | go for a walk | play the {instrument} | cook dinner | drive home
            learn to swim | stay in bed | clean the kitchen | write a letter | call my {relative}
            walk the dog | listen to music | sing a song | take a shower | paint the {thing}
            ride a bicycle | bake a cake | fix the {thing} | make some {food} | go fishing | play cards
            drink some coffee | visit {place} | climb the mountain | take pictures | plant a tree
            go shopping
            """,
        "instrument": """
            guitar | piano | violin | drums | flute | trumpet | cello | saxophone | harp | clarinet | banjo
            accordion
            """,
        "place": """
            the store | the park | the beach | the airport | the hospital | the office | the bank
            the library | school | the market | the station | the museum | the post office | the restaurant
            the farm | the river | the lake | the mountains | the forest | the village | the city | church
            the theater | the gym | the hotel | the bakery | London | Paris | New York | Chicago | Boston
            California | Texas | Canada | Mexico | Spain | Italy | Germany | France | India | China | Japan
            Australia | Africa | Rome | Berlin | Madrid | Seattle | Florida | Ireland
            """,
        "place_noun": """
            store | park | bank | library | museum | restaurant | hotel | bridge | road | bakery | pharmacy
            station
            """,
        "where": """
            in the kitchen | on the table | under the bed | behind the house | in the garden
            next to the {thing} | at {place} | near {place} | on the roof | in my pocket | across the street
            in front of the {place_noun} | in the living room | by the window | at home | on the floor
            between the {thing} and the {thing} | upstairs | downstairs | outside | over there
            around the corner | in the car | at work | in the middle of the road
            """,
        "when": """
            today | tomorrow | yesterday | tonight | this morning | last night | next week | on {day}
            in {month} | at {time} | every day | last year | in the evening | after lunch | before breakfast
            all day long | {small} days ago | in {small} hours | right now | as soon as possible
            this weekend | at midnight | in {year} | next {day} | soon | on {month} {ordinal}
            {count} years ago | for {small} weeks | twice a week | during the {event} | later
            """,
        "day": "Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday",
        "month": """
            January | February | March | April | May | June | July | August | September | October | November
            December
            """,
        "ordinal": """
            first | second | third | fourth | fifth | sixth | seventh | eighth | ninth | tenth | eleventh
            twelfth | thirteenth | fifteenth | eighteenth | twentieth | twenty-first | twenty-fifth
            thirtieth | thirty-first
            """,
        "time": """
            {small} o'clock | {small} thirty | half past {small} | a quarter to {small} | {small} fifteen
            noon | {small} in the morning | {small} in the afternoon | {count} past {small} | ten to {small}
            {small} p m
            """,
        "event": """
            meeting | party | wedding | concert | game | movie | lesson | show | race | funeral | interview
            exam | festival | conference | trip | dinner | storm | parade | ceremony | vacation
            performance | dance | appointment | war
            """,
        "question": """
            what time is it | what time does the {event} start | where is the {thing} | where is my {thing}
            who is {name} | do you like {food} | do you have any {food} | have you seen my {thing}
            can you help me {verb} the {thing} | how much is the {adjective} {thing}
            how many {thing}s do you need | how far is {place} | how old is your {relative}
            why did {name} {verb} the {thing} | when will {name} arrive
            could you tell me the way to {place} | are you coming | is there a {place_noun} near here
            what is the weather like {when} | what's the capital of {place} | is it raining
            would you like some {food} | what should we do {when} | did you remember to {verb} the {thing}
            who {past} the {thing} | can I {activity} | what does {adjective} mean
            how do you spell {thing} | which {thing} do you prefer | what is {count} plus {count}
            what is {count} times {small} | isn't that {name}'s {thing} | whose {thing} is this
            do you know what happened {when} | may I borrow your {thing} | shall we {activity} {when}
            are the {animal}s hungry | what are you doing {when} | have you ever been to {place}
            what kind of music do you like | what did {name} say | what sound does a {animal} make
            can you hear the {instrument} | is that a {animal} or a {animal} | really
            """,
        "command": """
            set a timer for {count} minutes | set an alarm for {time} | call {name}
            send a message to {name} | play some {genre} | turn on the lights | turn off the {device}
            turn up the {device} | turn the volume down | open the {thing} | remind me to {activity} {when}
            add {food} to the shopping list | show me pictures of {animal}s | stop the music
            take me to {place} | navigate to {place} | cancel my {event} {when} | read my messages
            what's on my calendar {when} | translate this into {language} | wake me up at {time}
            skip this song | pause | repeat that | play the next song | find a {place_noun} near me
            write down {digits} | dial {digits} | search for {adjective} {thing}s | lock the door
            close the window {where} | bring me the {thing} | put the {thing} {where}
            don't touch the {thing} | be careful | wait for me at {place} | tell {name} that {clause}
            look at that {adjective} {animal} | give me {small} {thing}s
            set the temperature to {count} degrees | delete the last message | take a picture | go back
            try again | help me | book a table for {small} {when} | start the {device}
            increase the brightness | mute the {device} | answer the phone
            """,
        "genre": """
            jazz | rock music | classical music | country music | pop music | the blues | folk songs
            hip hop | opera | reggae
            """,
        "device": """
            radio | television | heater | fan | lamp | dishwasher | washing machine | speaker
            air conditioner | printer | alarm
            """,
        "language": """
            English | French | German | Spanish | Italian | Chinese | Japanese | Russian | Dutch | Polish
            Arabic | Czech
            """,
        "request": """
            I'd like to {activity} | I would like to know when the {event} starts
            could you please {verb} the {thing} | I want to {verb} {small} {thing}s
            I need a {adjective} {thing} for the {event} | let me {verb} it for you
            can you give me the {thing} please | I need to talk to {name} {when}
            let's go to {place} {when} | let's {activity} | please {verb} the {thing} {where}
            would you mind if I {past} the {thing} | tell me more about the {event}
            """,
        "order": """
            can I have a {size} {drink} please | I'd like a {size} {drink} with {extra}
            give me {small} {drink}s to go | could I get a {size} {drink} with {extra} and {extra}
            one {drink} and {small} {drink}s please | a {drink} with {extra}
            I want a {roast} {drink} with {extra} | make me a {size} {roast} {drink}
            I'll have the {food} and a {drink} | I'll take a {size} {drink}, {extra}, and some {food}
            please get me a {shot} {drink} with {extra} | can you make a {shot} {size} {drink}
            just {food} for me please | could we have the bill please | no {food} please
            """,
        "drink": """
            coffee | latte | cappuccino | espresso | mocha | americano | tea | hot chocolate | lemonade
            black coffee | green tea
            """,
        "size": """
            small | medium | large | eight ounce | twelve ounce | sixteen ounce | twenty ounce | regular
            double
            """,
        "roast": "dark roast | light roast | medium roast | decaf | iced",
        "shot": "single shot | double shot | triple shot",
        "extra": """
            milk | whole milk | skim milk | almond milk | soy milk | oat milk | cream | half and half
            sugar | brown sugar | a lot of sugar | a bit of milk | some honey | no sugar | vanilla
            sweetener | whipped cream | cinnamon | extra foam
            """,
        "reply": """
            yes | no | okay | sure | of course | not really | I don't know | thank you very much
            you're welcome | good morning | good night | how are you | I'm fine thanks | see you later
            never mind | that's right | that's wrong | I agree | sounds good | I'm sorry | excuse me
            no problem | what a pity | congratulations | happy birthday | well done | I don't think so
            me too | not at all | it doesn't matter | take your time | hold on a second | good luck | oh no
            nice to meet you | have a nice day | let me think about it | I couldn't agree more
            that depends | be quiet
            """,
        "numeric": """
            {number} | {count} {thing}s | the number is {digits} | my phone number is {digits}
            {count} percent of the {food} | it costs {number} dollars
            it costs {count} dollars and {count} cents | the room number is {number}
            {number} people came to the {event} | she was born in {year} | the war ended in {year}
            he's {count} years old | it's {count} degrees {where} | the train leaves from platform {small}
            turn to page {number} | {digits} | {count} times {small} is a lot | the code is {digits}
            flight {digits} to {place} | we drove {number} miles | {month} {ordinal}, {year}
            at {time} on {day} | {small}, {small}, {small}, {small} | chapter {count} | {letters}
            bus number {count} goes to {place} | add {count} and {count} | the answer is {number}
            my code is {letters} {digits}
            """,
        "narrative": """
            {when}, {person} {past} the {adjective} {thing} {where}
            {person} walked to {place} and {past} a {adjective} {thing}
            when {name} arrived at {place}, the {animal} {past} the {thing}
            the {adjective} {animal} ran across the road and hid behind the {thing}
            after the {event}, {name} sat down {where} and {past} the {thing}
            {name} had {small} {thing}s, but {person} {past} {small} of them
            nobody knew why the {job} {past} the {thing} {when}
            {name} grew up near {place} with {small} brothers and a {adjective} {animal}
            the {job} looked at the {thing}, smiled, and {past} it again
            although the {thing} was {adjective}, {person} {past} it {when}
            a {adjective} {job} lived in a {adjective} house near {place}
            we spent {small} days in {place}, where {person} {past} the {thing}
            """,
        "opinion": """
            I {feeling} {food} | I {feeling} {adjective} {animal}s | I {feeling} the smell of {food}
            I {feeling} to {activity} | in my opinion, the {thing} is too {adjective}
            the {adjective} {thing} is better than the {adjective} one | {food} and {food} go well together
            {place} is more {adjective} than {place} | that was a {adjective} {event}
            {name} is the most {adjective} {job} I know | you should never {verb} a {adjective} {thing}
            I hope {clause} | I wonder why {clause} | it's a shame that {clause} | I'm glad {clause}
            I was surprised that {clause}
            """,
        "feeling": "like | love | really like | used to like | want | need",
        "direction": """
            turn left at the {place_noun}
            turn right after the {place_noun} and go straight for {small} miles
            the {place_noun} is on the {ordinal} floor, next to the {place_noun}
            take the {ordinal} street on the left | go up the stairs and through the {adjective} door
            {place} is {number} miles from {place} | keep to the right
            follow the river until you see a {adjective} bridge | take bus {small} from {place} to {place}
            it's around the corner
            """,
        "instruction": """
            mix the {food} with the {food} and cook it for {count} minutes
            add {small} spoons of {food} and stir slowly
            press the {adjective} button and wait for {small} seconds | cut the {food} into small pieces
            first {verb} the {thing}, then {verb} the {thing}
            put the {thing} in the {thing} and close the lid | take {small} pills a day with {food}
            keep the {thing} away from the {thing} | wash the {food} before you cook it
            """,
        "weather": """
            it will be {weather_word} {when} | it was {weather_word} {when}
            the wind is blowing from the {compass} | expect {weather_word} weather in {place} {when}
            a storm is coming from the {compass} | the sun rises at {time}
            it's too {weather_word} to {activity} | the forecast says it will be {weather_word} in {place}
            look, it's snowing
            """,
        "weather_word": """
            sunny | cloudy | rainy | windy | snowy | foggy | stormy | cold | warm | freezing | humid | dry
            icy | hot
            """,
        "compass": "north | south | east | west | northwest | southeast | northeast | southwest",
        "call": """
            hello, this is {name} speaking | can I speak to {name} please
            please leave a message after the tone | I'll call you back {when}
            you have {small} new messages | the line is busy | please hold while I connect you
            press {small} for {language} | I'm calling about the {adjective} {thing}
            your call is important to us | the person you are calling is not available
            thank you for calling {name} | to hear this again, press {small}
            """,
        "sound": """
            I can hear a {animal} {where} | a {animal} is making noise {where}
            someone is playing the {instrument} | the {instrument} sounds {adjective}
            I hear {noise} and {noise} | that sounds like {noise} | what's that noise
            there is {noise} in the background | first I hear {noise}, then {noise}
            the music is {tempo} and {adjective} | a {relative} is singing while the {instrument} plays
            the {animal} stopped when {noise} started
            """,
        "noise": """
            rain | thunder | footsteps | a siren | a car horn | an engine | a door slamming | glass breaking
            people laughing | a crowd cheering | birds singing | a dog barking | a baby crying
            running water | wind | an alarm | a bell ringing | a phone ringing | typing on a keyboard
            applause | a helicopter | a train passing | snoring | a cough | hammering
            """,
        "tempo": "slow | fast | quiet | loud | sad | happy | gentle | energetic",
        "single": """
            {thing} | {animal} | {food} | {adjective} | {job} | {day} | {month} | {name} | {noise} | {place}
            {verb} | {small}
            """,
        "story": """
            once there was a {job} who had a {adjective} {thing}
            the {adjective} {job} and the {adjective} {animal} lived {where}
            {name} opened the {thing} and found a {adjective} {animal} inside
            I have been waiting {where} for {small} hours, and {name} still hasn't come
            if I had {number} dollars, I would buy a {adjective} {thing} and go to {place}
            when I was {small} years old, my {relative} gave me a {adjective} {thing}
            the last time we went to {place}, {clause}
            on the way to {place} {person} met a {adjective} {job} with a {animal}
            every {day} my {relative} takes the {thing} to {place} and comes back at {time}
            """,
        "work": """
            the deadline for the {thing} is {when} | please send me the report before {time}
            the {event} has been moved to {day} | our team needs {small} more {job}s
            {name} is out of the office until {day} | the {device} is not working again
            sales went up by {count} percent in {month} | I'll finish the {thing} {when}
            can we move the {event} to {time} | the invoice for {number} dollars was paid {when}
            we should talk about the {adjective} plan {when}
            """,
        "health": """
            my {body} hurts | I have a {adjective} pain in my {body} | I feel {feeling_state} {when}
            {name} broke her {body} | you should see a doctor about your {body}
            take a deep breath and relax your {body} | I've been {feeling_state} {when}
            """,
        "body": """
            head | arm | leg | back | knee | foot | hand | shoulder | neck | stomach | tooth | finger | ear
            throat | ankle
            """,
        "feeling_state": """
            tired | sick | better | dizzy | happy | sad | nervous | hungry | sleepy | lonely | angry | great
            """,
    }.items()
}
