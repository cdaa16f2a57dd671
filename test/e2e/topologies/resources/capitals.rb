# Emits each word in capitals, anchored, and acks it.
require "./storm"

class Capitals < Storm::Bolt
  def process(tup)
    emit([tup.values[0].upcase], anchor: tup)
    ack tup
  end
end

Capitals.new.run
